//! The files as they were at a commit, read by the `git` program into a temporary folder.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use super::files::{KUSTOMIZATIONS, is_looked_for};
use crate::config::FILE_NAME;
use crate::failure::{CODE_ERROR, Failure};

/// Files taken from one commit: Modules and the templates that they name.
const MAX_FILES: usize = 50_000;
/// Bytes of all of them.
const MAX_BYTES: u64 = 512 << 20;

/// A commit of the repository that files are in.
pub(crate) struct Base {
    /// The repository's folder.
    top: PathBuf,
    commit: String,
    /// Holds what was taken from the commit, at the same places.
    folder: TempDir,
    taken: RefCell<Taken>,
}

/// What was taken so far.
#[derive(Default)]
struct Taken {
    paths: BTreeSet<(PathBuf, Wanted)>,
    files: usize,
    bytes: u64,
}

/// Which files are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    /// Those that a check looks at in folders.
    Objects,
    /// All: templates have files of any name.
    All,
}

/// A file of a commit.
struct Entry {
    is_link: bool,
    object: String,
    size: u64,
    path: PathBuf,
}

impl Base {
    /// The commit where HEAD and a revision part, in the repository that `near` is in.
    pub(crate) fn open(revision: &str, near: &Path) -> Result<Self, Failure> {
        let near = std::path::absolute(near)?;
        // What was deleted was in the nearest folder that is left.
        let start = near.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
        let none = || format!("--base needs a git repository, and {} is in none", near.display());
        let top = git(&home(start).with_context(none)?, ["rev-parse", "--show-toplevel"]).with_context(none)?;
        let top = fs::canonicalize(Path::new(&top))?;
        refuse_submodule(&top)?;
        let named = format!("{revision}^{{commit}}");
        let tip = git(&top, ["rev-parse", "--verify", "--quiet", "--end-of-options", &named]).map_err(|_| {
            Failure::message(CODE_ERROR, format!("the repository {} has no commit {revision:?}", top.display()))
                .hint("fetch it first; branches of a remote are named like origin/main")
        })?;
        let commit = git(&top, ["merge-base", &tip, "HEAD"]).map_err(|_| {
            Failure::message(CODE_ERROR, format!("{revision} and HEAD have no commit in common"))
                .hint("a shallow clone lacks it: fetch the whole history (actions/checkout: fetch-depth: 0)")
        })?;
        Ok(Self { top, commit, folder: tempfile::tempdir()?, taken: RefCell::default() })
    }

    /// The commit's name, shortened as people read it.
    pub(crate) fn short_commit(&self) -> &str {
        self.commit.get(..12).unwrap_or(&self.commit)
    }

    /// The folder that stands for the repository at the commit.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The repository's folder.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// Where the objects of a file or folder are as they were. Errors if it is not in the repository.
    pub(crate) fn objects(&self, path: &Path) -> Result<PathBuf, Failure> {
        let below = self.below_top(path)?.ok_or_else(|| {
            Failure::usage(format!("{} is not in the repository {}", path.display(), self.top.display()))
        })?;
        self.take(&below, Wanted::Objects)?;
        // What stands beside it and above it counts too.
        for name in KUSTOMIZATIONS {
            self.take(&below.with_file_name(name), Wanted::Objects)?;
        }
        for folder in below.ancestors() {
            self.take(&folder.join(FILE_NAME), Wanted::Objects)?;
        }
        Ok(self.root().join(below))
    }

    /// Where a file or folder is as it was, with everything in it; where it is now if git does not keep it, such as
    /// templates that were fetched beside the files. The path may be one in the folder that stands for the repository.
    pub(crate) fn as_it_was(&self, path: &Path) -> Result<PathBuf, Failure> {
        let now = match path.strip_prefix(self.root()) {
            Ok(below) => self.top.join(below),
            Err(_) => path.to_owned(),
        };
        let Some(below) = self.below_top(&now)? else { return Ok(now) };
        self.take(&below, Wanted::All)?;
        let before = self.root().join(&below);
        let is_kept = fs::symlink_metadata(&before).is_ok()
            || !git(&self.top, [OsStr::new("ls-files"), OsStr::new("--"), below.as_os_str()])?.is_empty();
        Ok(if is_kept { before } else { now })
    }

    /// A path relative to the repository's folder; none if it is elsewhere. A link that it ends in is one of the
    /// repository's files; links on the way to it are followed.
    fn below_top(&self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        let absolute = std::path::absolute(path)?;
        let named =
            absolute.parent().zip(absolute.file_name()).and_then(|(folder, name)| Some(real(folder)?.join(name)));
        let mut candidates = [named, real(&absolute)].into_iter().flatten();
        Ok(candidates.find_map(|path| path.strip_prefix(&self.top).ok().map(Path::to_owned)))
    }

    fn take(&self, below: &Path, wanted: Wanted) -> Result<(), Failure> {
        if self.is_taken(below, wanted) {
            return Ok(());
        }
        let mut entries = self.list(below)?;
        // A file that is named is taken whatever its name.
        let is_kustomization = |path: &Path| KUSTOMIZATIONS.iter().any(|name| path.ends_with(name));
        entries.retain(|entry| {
            wanted == Wanted::All || entry.path == below || is_looked_for(&entry.path) || is_kustomization(&entry.path)
        });
        {
            let mut taken = self.taken.borrow_mut();
            taken.paths.insert((below.to_owned(), wanted));
            taken.files += entries.len();
            taken.bytes += entries.iter().map(|entry| entry.size).sum::<u64>();
            if taken.files > MAX_FILES || taken.bytes > MAX_BYTES {
                let problem =
                    format!("{} has more than {MAX_FILES} files or {MAX_BYTES} bytes to compare with", below.display());
                return Err(Failure::message(CODE_ERROR, problem)
                    .hint("name the folders with Modules instead of the whole repository"));
            }
        }
        let links =
            self.write(&entries).with_context(|| format!("cannot read {} of the repository", self.short_commit()))?;
        for target in links {
            self.take(&target, wanted)?;
        }
        Ok(())
    }

    fn is_taken(&self, below: &Path, wanted: Wanted) -> bool {
        let taken = self.taken.borrow();
        let is_taken = |path: &Path, wanted: Wanted| taken.paths.contains(&(path.to_owned(), wanted));
        below.ancestors().any(|path| is_taken(path, wanted) || is_taken(path, Wanted::All))
    }

    /// The files at and below a path of the commit.
    fn list(&self, below: &Path) -> Result<Vec<Entry>, Failure> {
        let mut arguments: Vec<&OsStr> =
            ["ls-tree", "-r", "-z", "-l", "--full-tree", &self.commit].map(OsStr::new).into();
        if !below.as_os_str().is_empty() {
            arguments.extend([OsStr::new("--"), below.as_os_str()]);
        }
        let listed = git(&self.top, arguments)?;
        let entries =
            listed.split('\0').filter(|entry| !entry.is_empty()).filter_map(|entry| match parse_entry(entry) {
                Ok(entry) => entry.map(Ok),
                Err(error) => Some(Err(error)),
            });
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// Writes files to where they belong, and returns what links among them lead to.
    fn write(&self, entries: &[Entry]) -> Result<Vec<PathBuf>, anyhow::Error> {
        let mut targets = Vec::new();
        if entries.is_empty() {
            return Ok(targets);
        }
        let mut child = command(&self.top)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run git")?;
        let (Some(mut questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("git has no streams");
        };
        let mut answers = BufReader::new(answers);
        // Links last, so that nothing is written through one.
        let (links, files): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.is_link);
        for entry in files.into_iter().chain(links) {
            // One at a time: git answers before it reads on.
            writeln!(questions, "{}", entry.object)?;
            let mut head = String::new();
            answers.read_line(&mut head)?;
            ensure!(head.trim_end().ends_with(&format!("blob {}", entry.size)), "git answered {head:?}");
            let mut content = Vec::new();
            answers.by_ref().take(entry.size + 1).read_to_end(&mut content)?;
            ensure!(content.pop() == Some(b'\n') && content.len() as u64 == entry.size, "git broke off");
            self.write_entry(entry, &content).with_context(|| entry.path.display().to_string())?;
            if entry.is_link {
                targets.extend(link_target(&entry.path, &content));
            }
        }
        drop(questions);
        child.wait()?;
        Ok(targets)
    }

    fn write_entry(&self, entry: &Entry, content: &[u8]) -> Result<(), anyhow::Error> {
        let target = self.root().join(&entry.path);
        let folder = entry.path.parent().unwrap_or(Path::new(""));
        let mut below = self.root().to_owned();
        for component in folder {
            below.push(component);
            match fs::symlink_metadata(&below) {
                Ok(metadata) => ensure!(metadata.is_dir(), "a folder and a file have one name"),
                Err(_) => fs::create_dir(&below)?,
            }
        }
        match fs::symlink_metadata(&target) {
            // Taken before.
            Ok(_) => Ok(()),
            Err(_) if entry.is_link => Ok(link(content, &target)?),
            Err(_) => Ok(fs::write(&target, content)?),
        }
    }
}

/// The folder with the `.git` that a folder belongs to. No commit can hold that name. git itself also takes a folder
/// with `HEAD`, `objects` and `refs` in it for a repository: a branch could bring its own base along, and a
/// configuration with commands in it.
fn home(start: &Path) -> Result<PathBuf, anyhow::Error> {
    let real = fs::canonicalize(start)?;
    real.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned).context("there is no .git")
}

/// A branch can put a submodule in a folder's place, which then brings its own base along. Whoever works inside one means
/// it.
fn refuse_submodule(top: &Path) -> Result<(), Failure> {
    let superproject = git(top, ["rev-parse", "--show-superproject-working-tree"])?;
    let is_inside = std::env::current_dir().and_then(fs::canonicalize)?.starts_with(top);
    if superproject.is_empty() || is_inside {
        return Ok(());
    }
    Err(Failure::message(CODE_ERROR, format!("{} is a submodule of {superproject}", top.display()))
        .hint("check it from inside, with a base of its own"))
}

/// A path without links, as far as it exists.
fn real(path: &Path) -> Option<PathBuf> {
    let (existing, real) = path.ancestors().find_map(|folder| Some((folder, fs::canonicalize(folder).ok()?)))?;
    Some(follow(real, path.strip_prefix(existing).ok()?))
}

/// Goes on from a folder along a path, without looking at what is there.
fn follow(start: PathBuf, path: &Path) -> PathBuf {
    path.components().fold(start, |mut place, component| {
        match component {
            Component::ParentDir => drop(place.pop()),
            Component::Normal(name) => place.push(name),
            _ => {}
        }
        place
    })
}

/// What a link leads to inside the repository.
fn link_target(link: &Path, content: &[u8]) -> Option<PathBuf> {
    let target = Path::new(std::str::from_utf8(content).ok()?);
    let up = target.components().filter(|component| *component == Component::ParentDir).count();
    let folder = link.parent()?;
    let is_inside = !content.is_empty() && target.is_relative() && up <= folder.components().count();
    is_inside.then(|| follow(folder.to_owned(), target)).filter(|target| target.file_name().is_some())
}

/// Reads `mode type object size TAB path`; nothing for what is no file, such as a submodule.
fn parse_entry(entry: &str) -> Result<Option<Entry>, anyhow::Error> {
    let (head, path) = entry.split_once('\t').context("git lists files in an unknown form")?;
    let head: Vec<&str> = head.split_ascii_whitespace().collect();
    let [mode, "blob", object, size] = head.as_slice() else { return Ok(None) };
    let path = PathBuf::from(path);
    let is_inside = path.components().all(|component| matches!(component, Component::Normal(_)));
    ensure!(is_inside && path.file_name().is_some(), "the repository has a file named {}", path.display());
    let size = size.parse().context("git lists files in an unknown form")?;
    Ok(Some(Entry { is_link: *mode == "120000", object: (*object).to_owned(), size, path }))
}

#[cfg(unix)]
fn link(content: &[u8], at: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    std::os::unix::fs::symlink(OsStr::from_bytes(content), at)
}

/// A file with the link's target, as git makes one where there are no links.
#[cfg(not(unix))]
fn link(content: &[u8], at: &Path) -> io::Result<()> {
    fs::write(at, content)
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    // Paths are names, not patterns.
    command.arg("-C").arg(folder).env("GIT_LITERAL_PATHSPECS", "1").stdin(Stdio::null());
    command
}

/// What git prints, without the line's end.
fn git<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(folder: &Path, arguments: I) -> Result<String, anyhow::Error> {
    let output = command(folder).args(arguments).output().context("cannot run git")?;
    if !output.status.success() {
        bail!("git: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout).context("git names a file that is not UTF-8")?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_what_is_in_the_repository() {
        let target = |content: &str| link_target(Path::new("a/b/link"), content.as_bytes());
        assert_eq!(target("x.yaml"), Some("a/b/x.yaml".into()));
        assert_eq!(target("../../x/./y"), Some("x/y".into()));
        for outside in ["/etc/passwd", "../../../x", "../..", ""] {
            assert_eq!(target(outside), None, "{outside}");
        }
    }

    #[test]
    fn entries_of_a_tree_are_read() {
        let object = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        let entry = parse_entry(&format!("100644 blob {object}      12\tapps/a b\n.yaml")).unwrap().unwrap();
        assert_eq!((entry.size, entry.is_link, entry.path.as_path()), (12, false, Path::new("apps/a b\n.yaml")));
        assert!(parse_entry(&format!("120000 blob {object} 3\tx")).unwrap().unwrap().is_link);
        assert!(parse_entry(&format!("160000 commit {object} -\tmodule")).unwrap().is_none());
        for path in ["../x", "/etc/x", "a/../../x", ""] {
            assert!(parse_entry(&format!("100644 blob {object} 3\t{path}")).is_err(), "{path}");
        }
    }
}
