//! Reading a chart's folder from the object database.

use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter};
use gix::{ObjectId, Repository};

use super::remote::corrupt;
use crate::SourceError;
use crate::files::Collector;

/// Folders below the chart's root, and links on the way to one file.
const MAX_DEPTH: usize = 32;

/// Adds the files below the folder `segments` of a commit.
pub(super) fn read(
    repository: &Repository,
    commit: ObjectId,
    path: &str,
    segments: &[&str],
    collector: &mut Collector<'_>,
) -> Result<(), SourceError> {
    let data = object(repository, commit, Kind::Commit, collector.repo())?;
    let root = gix::objs::CommitRefIter::from_bytes(&data, commit.kind())
        .tree_id()
        .map_err(|error| corrupt(collector.repo(), error))?;
    let reader = Reader { repository, root };
    let folder: Vec<BString> = segments.iter().map(|segment| BString::from(*segment)).collect();
    match reader.find(&folder, collector.repo(), 0)? {
        Some((EntryKind::Tree, id)) => reader.read_tree(id, segments, "", 0, collector),
        _ => Err(SourceError::PathNotFound {
            repo: collector.repo().to_owned(),
            path: path.to_owned(),
            digest: commit.to_string(),
        }),
    }
}

struct Reader<'a> {
    repository: &'a Repository,
    root: ObjectId,
}

impl Reader<'_> {
    /// The entries of a tree.
    fn entries(&self, tree: ObjectId, repo: &str) -> Result<Vec<(BString, EntryKind, ObjectId)>, SourceError> {
        let data = object(self.repository, tree, Kind::Tree, repo)?;
        TreeRefIter::from_bytes(&data, tree.kind())
            .map(|entry| {
                let entry = entry.map_err(|error| corrupt(repo, error))?;
                Ok((entry.filename.to_owned(), entry.mode.kind(), entry.oid.to_owned()))
            })
            .collect()
    }

    /// The object at a path from the repository's root; links on the way are followed inside the repository.
    fn find(&self, path: &[BString], repo: &str, depth: usize) -> Result<Option<(EntryKind, ObjectId)>, SourceError> {
        let mut current = (EntryKind::Tree, self.root);
        for (position, segment) in path.iter().enumerate() {
            if current.0 != EntryKind::Tree {
                return Ok(None);
            }
            let Some((_, kind, id)) = self.entries(current.1, repo)?.into_iter().find(|(name, ..)| name == segment)
            else {
                return Ok(None);
            };
            current = (kind, id);
            if kind == EntryKind::Link {
                let Some(mut target) = self.target(&path[..position], id, repo)? else { return Ok(None) };
                if depth >= MAX_DEPTH {
                    return Ok(None);
                }
                target.extend_from_slice(&path[position + 1..]);
                return self.find(&target, repo, depth + 1);
            }
        }
        Ok(Some(current))
    }

    /// Where a link in `folder` points to, from the root; none if it leaves the repository.
    fn target(&self, folder: &[BString], link: ObjectId, repo: &str) -> Result<Option<Vec<BString>>, SourceError> {
        let text = object(self.repository, link, Kind::Blob, repo)?;
        if text.starts_with(b"/") {
            return Ok(None);
        }
        let mut path = folder.to_vec();
        for segment in text.split_str("/") {
            match segment {
                b"" | b"." => {}
                b".." => {
                    if path.pop().is_none() {
                        return Ok(None);
                    }
                }
                name => path.push(name.into()),
            }
        }
        Ok(Some(path))
    }

    /// Adds the files of a tree. `location` is its path from the repository's root, `prefix` from the chart's.
    fn read_tree(
        &self,
        tree: ObjectId,
        location: &[&str],
        prefix: &str,
        depth: usize,
        collector: &mut Collector<'_>,
    ) -> Result<(), SourceError> {
        let repo = collector.repo();
        let irregular = |name: &str, reason| {
            Err(SourceError::IrregularFile { repo: repo.to_owned(), path: name.to_owned(), reason })
        };
        if depth > MAX_DEPTH {
            return irregular(prefix, "its folders nest too deeply");
        }
        for (name, mut kind, mut id) in self.entries(tree, repo)? {
            let Ok(segment) = name.to_str() else {
                return irregular(&name.to_str_lossy(), "its name is not UTF-8");
            };
            let path = if prefix.is_empty() { segment.to_owned() } else { format!("{prefix}/{segment}") };
            if kind == EntryKind::Link {
                let folder: Vec<BString> = location.iter().map(|segment| BString::from(*segment)).collect();
                let target = match self.target(&folder, id, repo)? {
                    Some(target) => self.find(&target, repo, 1)?,
                    None => None,
                };
                match target {
                    Some(found) => (kind, id) = found,
                    None => return irregular(&path, "the link leads nowhere or out of the repository"),
                }
            }
            match kind {
                EntryKind::Tree => {
                    let mut location = location.to_vec();
                    location.push(segment);
                    self.read_tree(id, &location, &path, depth + 1, collector)?;
                }
                EntryKind::Blob | EntryKind::BlobExecutable => {
                    let header = self.repository.find_header(id).map_err(|error| corrupt(repo, error))?;
                    collector.admit(&path, header.size())?;
                    let data = object(self.repository, id, Kind::Blob, repo)?;
                    collector.add(path, data);
                }
                // A submodule's files are in another repository; git itself leaves its folder empty.
                EntryKind::Commit | EntryKind::Link => {}
            }
        }
        Ok(())
    }
}

/// Reads an object and checks that it is what its name says.
fn object(repository: &Repository, id: ObjectId, kind: Kind, repo: &str) -> Result<Vec<u8>, SourceError> {
    let found = repository.find_object(id).map_err(|error| corrupt(repo, error))?;
    let hash = gix::objs::compute_hash(id.kind(), found.kind, &found.data).map_err(|error| corrupt(repo, error))?;
    if found.kind != kind || hash != id {
        return Err(corrupt(repo, std::io::Error::other(format!("object {id} is damaged or not a {kind}"))));
    }
    Ok(found.detach().data)
}
