//! The editor: which program, and the file it is given.

pub(crate) mod buffer;

use std::ffi::OsString;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

/// Environment variables that name the editor; kubectl's own comes first.
const VARIABLES: [&str; 3] = ["KUBE_EDITOR", "EDITOR", "VISUAL"];

/// Texts of edits that failed are kept for a week.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// The program that edits a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Editor {
    command: OsString,
}

impl Editor {
    /// The user's editor. None if nobody chose one and there is no terminal on which the default could work.
    pub(crate) fn from_environment() -> Option<Self> {
        let chosen = VARIABLES.iter().filter_map(std::env::var_os).find(|command| !command.is_empty());
        let default = || std::io::stdin().is_terminal().then(|| OsString::from(default_command()));
        chosen.or_else(default).map(|command| Self { command })
    }

    /// Opens a file and waits until the editor ends.
    pub(crate) fn open(&self, file: &Path) -> Result<(), anyhow::Error> {
        let shown = self.command.display();
        let status = shell(&self.command, file).status().with_context(|| format!("cannot start the editor {shown}"))?;
        if !status.success() {
            bail!("there was a problem with the editor {shown}: {status}");
        }
        Ok(())
    }
}

#[cfg(not(windows))]
fn default_command() -> &'static str {
    "vi"
}

#[cfg(windows)]
fn default_command() -> &'static str {
    "notepad"
}

/// The command may hold arguments and quotes, so a shell reads it; the file is passed as it is.
#[cfg(not(windows))]
fn shell(editor: &OsString, file: &Path) -> Command {
    let mut script = editor.clone();
    script.push(" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg("editor").arg(file);
    command
}

#[cfg(windows)]
fn shell(editor: &OsString, file: &Path) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").arg(editor).arg(file);
    command
}

/// The file that is edited. It is readable by its owner only, and removed when the edit succeeds or is cancelled.
#[derive(Debug)]
pub(crate) struct EditedFile {
    path: PathBuf,
}

impl EditedFile {
    /// Creates a file named after the Module, below the user's state folder rather than a folder shared with others.
    pub(crate) fn create(name: &str, text: &str) -> Result<Self, anyhow::Error> {
        let folder = state_folder();
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        remove_old(&folder);
        for attempt in 0..u32::MAX {
            let path = folder.join(format!("{name}-{}-{attempt}.yaml", std::process::id()));
            match open_new(&path) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
                    return Ok(Self { path });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| format!("cannot create {}", path.display())),
            }
        }
        bail!("cannot create a file in {}", folder.display())
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the file holds now.
    pub(crate) fn read(&self) -> Result<String, anyhow::Error> {
        fs::read_to_string(&self.path).with_context(|| format!("cannot read {}", self.path.display()))
    }

    /// Replaces what the file holds.
    pub(crate) fn write(&self, text: &str) -> Result<(), anyhow::Error> {
        fs::write(&self.path, text).with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Removes the file. A file that is already gone is no problem, and neither is one that has to stay.
    pub(crate) fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// `$XDG_STATE_HOME/kubectl-module`, `~/.local/state/kubectl-module`, or the folder for temporary files.
fn state_folder() -> PathBuf {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home = || std::env::home_dir().filter(|home| home.is_dir()).map(|home| home.join(".local/state"));
    state.or_else(home).unwrap_or_else(std::env::temp_dir).join("kubectl-module")
}

/// Removes texts of edits that nobody went on with. What cannot be removed stays.
fn remove_old(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn open_new(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
