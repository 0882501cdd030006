//! The size of a value as JSON.

use serde_json::Value;

/// Bytes that a value takes as JSON, counted without writing it down.
pub fn json_size(value: &Value) -> usize {
    let mut counter = Counter(0);
    // What cannot be written fits nowhere.
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
