//! Certificates of the admission server: its own certificate authority, the certificate it serves, their storage in
//! a Secret, renewal, hot reload, and the `caBundle` of the webhook configurations.
//!
//! The authority lives long and is trusted through `caBundle`; the served certificate lives short and is renewed
//! under it, so that a renewal never touches the API server's configuration. Expiry is judged by wall clock, which
//! stays right when a machine was suspended.

pub mod authority;
pub mod bundle;
pub mod clients;
pub mod error;
pub mod mounted;
pub mod publication;
pub mod resolver;
pub mod rotation;
pub mod secret;

pub use authority::{Authority, Lifetimes, ServingCertificate};
pub use bundle::CertificateBundle;
pub use clients::client_verifier;
pub use error::CertificateError;
pub use mounted::MountedCertificate;
pub use resolver::ReloadableCertificate;
pub use rotation::{Rotation, RotationOptions};
