//! The RSA keys of hosts that are repeatable: nobody uses them, and so they are the same everywhere and cost nothing.

use std::sync::OnceLock;

use rsa::{BoxedUint, PrivateKey as RsaKey};

use super::key::CERTIFICATE_KEY_BITS;

/// The public exponent that Go takes.
// crypto/rsa: GenerateKey
const EXPONENT: u64 = 65_537;

/// The prime factors of the key of a certificate.
const CERTIFICATE_PRIMES: [&str; 2] = [
    "c4bb3f97971d80abb54e0f1600cc4d198e1f7555983aa92f8621a03fe0bbdb7bc2d326e0055bdef6657eecdd3cb13d09f3b8\
     488c368cb0a63ee5789041c98ac3c584133ac916ab3c2c829abe1f4532e153cb9f0c747ea2ea1b39896a51a8749bf88bb8a8\
     724c81ec06c45d188009454f6e789e6aa1b965f4e220a8397b1dd387",
    "f77d35dea8e40225f16952ee72f3454fee521d7a0f4d3872a2f09dabb45c631640d29eb57de1d51069b82ebc92233300935e\
     82f1db4c4f7bdd7c01d4f540726954496ad67bd2634cedf5f1d90dca2f6aa9038a921825f10ddb01602b100b9ed7d81a8d2b\
     5a4485ac3466e9a083914f64c3cf17102b7f7f867d29825c7552151b",
];
/// The prime factors of a key of its own.
const PRIVATE_PRIMES: [&str; 2] = [
    "f77d35dea8e40225f16952ee72f3454fee521d7a0f4d3872a2f09dabb45c631640d29eb57de1d51069b82ebc92233300935e\
     82f1db4c4f7bdd7c01d4f540726954496ad67bd2634cedf5f1d90dca2f6aa9038a921825f10ddb01602b100b9ed7d81a8d2b\
     5a4485ac3466e9a083914f64c3cf17102b7f7f867d29825c7552125584bb3f97971d80abb54e0f1600cc4d198e1f7555983a\
     a92f8621a03fe0bbdb7bc2d326e0055bdef6657eecdd3cb13d09f3b8488c368cb0a63ee5789041c98ac3c584133ac916ab3c\
     2c829abe1f4532e153cb9f0c747ea2ea1b39896a51a8749bf88bb8a8724c81ec06c45d188009454f6e789e6aa1b965f4e220\
     a8397b1de3c3",
    "e255b237b8bb18fb3e00a34929a88f1d55f070ab1cbbf170ed79402d1d5c5d7bbfdeaed9a17b3c8ff4a578dccbc87656cf44\
     8a5882bb969830260345dd9e0ec19b196bca844f1705c952c5620043c71403d6845323ce3c712098eb73d4367d77df268ade\
     b6513356e3ddd86ba71a5eb122b353f04f4f52da774615d7b1a1f2e1690ed476743aae493e84ecb1763e79adecee65630a69\
     1e37cc06c31652ebf43812c015a97019e93707dc930b302278a8134f7096918175ce84eb4454a792922a4fa9fa7324851729\
     6e19905dcbe531df3c3c41a3b43343a1417ef96181daa38369630f7593d108c3d254741f599dc6f705582d37111ac5290c7d\
     e8064963c3b5",
];

/// The key of that size, which is the one of certificates or the one of `genPrivateKey`.
pub(super) fn key(bits: u32) -> Result<RsaKey, rsa::Error> {
    static CERTIFICATE_KEY: OnceLock<RsaKey> = OnceLock::new();
    static PRIVATE_KEY: OnceLock<RsaKey> = OnceLock::new();
    let (cell, primes) = match bits {
        CERTIFICATE_KEY_BITS => (&CERTIFICATE_KEY, CERTIFICATE_PRIMES),
        _ => (&PRIVATE_KEY, PRIVATE_PRIMES),
    };
    if let Some(key) = cell.get() {
        return Ok(key.clone());
    }
    // Two factors of half the size each. Only what is no number could fail here.
    let number = |digits| BoxedUint::from_be_hex(digits, bits / 2).into_option().ok_or(rsa::Error::InvalidPrime);
    let [one, other] = primes.map(number);
    let key = RsaKey::from_p_q(one?, other?, BoxedUint::from(EXPONENT))?;
    Ok(cell.get_or_init(|| key).clone())
}

#[cfg(test)]
mod tests {
    use rsa::traits::PublicKeyParts;

    use super::*;

    #[test]
    fn the_keys_are_keys_of_their_size() {
        for bits in [CERTIFICATE_KEY_BITS, 4096] {
            let key = key(bits).unwrap();
            key.validate().unwrap();
            assert_eq!(key.n().bit_width(), bits);
        }
    }
}
