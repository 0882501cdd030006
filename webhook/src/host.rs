//! Clock and randomness for templates that are applied.

use std::{cell::RefCell, time::SystemTime};

use renderer::functions::Host;
use rustls::crypto::{GetRandomFailed, SecureRandom};
use sha2::{Digest, Sha256};

/// The real clock and randomness that nobody can guess: templates make passwords and keys of it.
pub struct SystemHost {
    seed: [u8; 32],
    drawn: RefCell<u64>,
}

impl SystemHost {
    /// Draws a seed from the system.
    pub fn new() -> Result<Self, GetRandomFailed> {
        let random: &dyn SecureRandom = rustls::crypto::ring::default_provider().secure_random;
        let mut seed = [0; 32];
        random.fill(&mut seed)?;
        Ok(Self { seed, drawn: RefCell::new(0) })
    }
}

impl Host for SystemHost {
    fn now(&self) -> i128 {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i128::try_from(since_epoch.as_nanos()).unwrap_or(i128::MAX)
    }

    fn random(&self, buffer: &mut [u8]) {
        // A hash in counter mode: drawing cannot fail once there is a seed.
        let mut drawn = self.drawn.borrow_mut();
        for chunk in buffer.chunks_mut(32) {
            *drawn += 1;
            let block = Sha256::new().chain_update(self.seed).chain_update(drawn.to_le_bytes()).finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_equal() {
        let (one, other) = (SystemHost::new().unwrap(), SystemHost::new().unwrap());
        let draw = |host: &SystemHost| {
            let mut buffer = [0; 40];
            host.random(&mut buffer);
            buffer
        };
        let drawn = [draw(&one), draw(&one), draw(&other)];
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2] && drawn[1] != drawn[2]);
        assert_ne!(drawn[0][..8], drawn[0][32..]);
    }
}
