//! The clock and randomness that templates may use.

use std::time::{SystemTime, UNIX_EPOCH};

use renderer::functions::Host;
use rustls::crypto::CryptoProvider;

/// The machine's clock and the randomness of the TLS library.
pub(crate) struct SystemHost;

impl Host for SystemHost {
    fn now(&self) -> i128 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_nanos());
        now.ok().and_then(|nanoseconds| i128::try_from(nanoseconds).ok()).unwrap_or_default()
    }

    fn random(&self, buffer: &mut [u8]) {
        let provider = CryptoProvider::get_default().cloned();
        let filled = provider.is_some_and(|provider| provider.secure_random.fill(buffer).is_ok());
        if !filled {
            // A password from a known sequence would be worse than a constant that anybody recognises.
            buffer.fill(0);
        }
    }
}
