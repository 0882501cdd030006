//! The whole HTTP surface without sockets: reviews in, answers out. Verdict, renderer and schema are the real ones.

mod hostile;
mod metrics;
mod modules;
mod policies;
mod previews;
mod reports;
mod support;
mod template_objects;
