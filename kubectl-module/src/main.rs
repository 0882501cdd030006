//! `kubectl module`: edit, preview, explain and render Modules.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The only provider that is compiled in; a second call would be the only way to fail.
    let _ = rustls::crypto::ring::default_provider().install_default();
    kubectl_module::run()
}
