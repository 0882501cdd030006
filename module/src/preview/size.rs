//! Texts in annotations: JSON, compressed, in Base64.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of an annotation. The API server allows 256 KiB for all annotations of an object together.
pub const MAX_ENCODED: usize = 200 << 10;
/// Bytes of JSON that a text is unpacked to. Compressed text can stand for a thousand times as much.
const MAX_DECODED: u64 = 16 << 20;

/// Why a text cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// It cannot be written as JSON.
    #[error("the preview cannot be written: {problem}")]
    Encode {
        /// What the writer says.
        problem: String,
    },
    /// It is larger than an annotation may be.
    #[error("the preview is too large: {bytes} bytes, where an annotation can hold {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is not what was written.
    #[error("the preview cannot be read: {problem}")]
    Decode {
        /// What the reader says.
        problem: String,
    },
}

pub(super) fn encode(value: &impl Serialize) -> Result<String, CodecError> {
    let failed = |problem: String| CodecError::Encode { problem };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut encoder, value).map_err(|error| failed(error.to_string()))?;
    encoder.flush().map_err(|error| failed(error.to_string()))?;
    let bytes = encoder.finish().map_err(|error| failed(error.to_string()))?;
    Ok(STANDARD.encode(bytes))
}

pub(super) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, CodecError> {
    let failed = |problem: String| CodecError::Decode { problem };
    if text.len() > MAX_ENCODED {
        return Err(CodecError::TooLarge { bytes: text.len(), limit: MAX_ENCODED });
    }
    let bytes = STANDARD.decode(text.trim()).map_err(|error| failed(error.to_string()))?;
    let mut json = Vec::new();
    GzDecoder::new(bytes.as_slice())
        .take(MAX_DECODED + 1)
        .read_to_end(&mut json)
        .map_err(|error| failed(error.to_string()))?;
    if json.len() as u64 > MAX_DECODED {
        return Err(failed(format!("it unpacks to more than {MAX_DECODED} bytes")));
    }
    serde_json::from_slice(&json).map_err(|error| failed(error.to_string()))
}
