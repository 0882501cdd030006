//! What was fetched, on disk by its hash.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::SourceError;
use crate::files::hexadecimal;

/// Bytes kept. An archive is rarely more than a few hundred KiB.
const MAX_CACHED_BYTES: u64 = 256 << 20;

/// The prefix of the digests that are understood.
const ALGORITHM: &str = "sha256:";

/// Content by where it is from and its digest. A place is part of the name: what one repository has handed out is no
/// answer to a question about another.
#[derive(Clone, Debug)]
pub(crate) struct BlobCache {
    directory: PathBuf,
}

impl BlobCache {
    /// A cache below `directory`, which is created if missing and may be deleted at any time while nothing runs.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The content, if it is there and undamaged.
    pub(crate) fn read(&self, place: &str, digest: &str) -> Option<Vec<u8>> {
        let path = self.path(place, digest);
        let content = fs::read(&path).ok()?;
        if digest_of(&content) == digest {
            return Some(content);
        }
        // It is fetched again; if it cannot be removed it is overwritten.
        let _ = fs::remove_file(&path);
        None
    }

    /// Keeps content, under its digest.
    pub(crate) fn write(&self, place: &str, content: &[u8]) -> Result<(), SourceError> {
        let path = self.path(place, &digest_of(content));
        fs::create_dir_all(&self.directory)
            .and_then(|()| {
                evict(&self.directory, MAX_CACHED_BYTES.saturating_sub(content.len() as u64));
                let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
                file.write_all(content)?;
                file.persist(&path)?;
                Ok(())
            })
            .map_err(|source| SourceError::File { path, source })
    }

    fn path(&self, place: &str, digest: &str) -> PathBuf {
        self.directory.join(hexadecimal(&Sha256::digest(format!("{place}\n{digest}"))))
    }
}

/// `sha256:` and 64 digits.
pub(crate) fn digest_of(content: &[u8]) -> String {
    format!("{ALGORITHM}{}", hexadecimal(&Sha256::digest(content)))
}

/// Whether a text is a digest as [`digest_of`] writes it.
pub(crate) fn is_digest(text: &str) -> bool {
    text.strip_prefix(ALGORITHM).is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Leaves at most so many bytes: the oldest files go first. A failure only leaves the cache larger.
fn evict(directory: &Path, limit: u64) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut entries: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some((metadata.modified().ok()?, entry.path(), metadata.len()))
        })
        .collect();
    entries.sort();
    let mut bytes: u64 = entries.iter().map(|(_, _, bytes)| bytes).sum();
    for (_, path, freed) in entries {
        if bytes <= limit {
            break;
        }
        let _ = fs::remove_file(path);
        bytes -= freed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_found_where_it_is_from_and_only_undamaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BlobCache::new(folder.path().join("blobs"));
        let digest = digest_of(b"content");
        assert_eq!(digest, "sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
        assert_eq!(cache.read("here", &digest), None);
        cache.write("here", b"content").unwrap();
        assert_eq!(cache.read("here", &digest).as_deref(), Some(&b"content"[..]));
        assert_eq!(cache.read("elsewhere", &digest), None);
        fs::write(cache.path("here", &digest), b"damaged").unwrap();
        assert_eq!(cache.read("here", &digest), None);
        assert!(!cache.path("here", &digest).exists());
    }

    #[test]
    fn the_oldest_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let cache = BlobCache::new(folder.path().to_owned());
        for number in 0..5 {
            cache.write("here", number.to_string().repeat(10).as_bytes()).unwrap();
            // The clock of some file systems goes by milliseconds.
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        evict(folder.path(), 39);
        let kept = |number: u32| cache.read("here", &digest_of(number.to_string().repeat(10).as_bytes())).is_some();
        assert_eq!([0, 1, 2, 3, 4].map(kept), [false, false, true, true, true]);
        evict(folder.path(), 30);
        assert!(kept(2));
    }

    #[test]
    fn digests_have_one_form() {
        assert!(is_digest(&digest_of(b"")));
        for text in ["", "sha256:", "sha256:ab", &digest_of(b"").to_uppercase(), &digest_of(b"")[7..], "main"] {
            assert!(!is_digest(text), "{text}");
        }
    }
}
