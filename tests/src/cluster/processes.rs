//! The processes of a cluster: started in the background, found again and ended by id.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::CommandExt;

use super::layout::Layout;

/// How long a process may take to end after it was asked to, before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The processes of one cluster.
#[derive(Clone, Debug)]
pub struct Processes {
    records: PathBuf,
    logs: PathBuf,
}

/// A process as it was started: its id, and the moment of its start, because ids are reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    pid: i32,
    started: u64,
}

impl Processes {
    /// The processes recorded in a cluster's folder.
    pub fn of(layout: &Layout) -> Self {
        Self { records: layout.path("processes"), logs: layout.path("logs") }
    }

    /// Starts a process that outlives this one. What it says goes to `logs/<name>.log`.
    pub fn start(&self, name: &str, command: &mut Command) -> Result<()> {
        let log = self.log(name);
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("{} could not be opened", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Its own group: an interrupt typed at the terminal is for the person's command only.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        let pid = child.id() as i32;
        let started = state(pid).map(|state| state.started).unwrap_or_default();
        let record = self.record(name);
        fs::write(&record, format!("{pid} {started}\n"))
            .with_context(|| format!("{} could not be written", record.display()))
    }

    /// Tells whether the process is alive.
    pub fn is_running(&self, name: &str) -> bool {
        self.identity(name).is_some_and(Identity::is_running)
    }

    /// Returns the id of a running process.
    pub fn id(&self, name: &str) -> Option<i32> {
        self.identity(name).filter(|identity| identity.is_running()).map(|identity| identity.pid)
    }

    /// Asks a process to end, and kills it if it does not. Does nothing if it is not running.
    pub fn stop(&self, name: &str) {
        self.end(name, Signal::TERM);
    }

    /// Ends a process without giving it the time to say goodbye.
    pub fn kill(&self, name: &str) {
        self.end(name, Signal::KILL);
    }

    /// Asks a process to end, and does not wait for that.
    pub fn terminate(&self, name: &str) {
        self.signal(name, Signal::TERM);
    }

    /// Halts a process: it keeps its ports and connections, and says nothing.
    pub fn pause(&self, name: &str) {
        self.signal(name, Signal::STOP);
    }

    /// Lets a halted process go on.
    pub fn resume(&self, name: &str) {
        self.signal(name, Signal::CONT);
    }

    fn signal(&self, name: &str, signal: Signal) {
        if let Some(pid) = self.id(name).and_then(Pid::from_raw) {
            // One that is gone already needs none.
            let _ = kill_process(pid, signal);
        }
    }

    /// The names of all processes that were started, running or not.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.records)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// The file that holds what a process said.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// The last lines that a process said, for a message about its failure.
    pub fn last_lines(&self, name: &str) -> String {
        let text = fs::read(self.log(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn end(&self, name: &str, signal: Signal) {
        let Some(identity) = self.identity(name) else {
            return;
        };
        let patience = Instant::now() + PATIENCE;
        let mut signal = signal;
        while identity.is_running() {
            if let Some(pid) = Pid::from_raw(identity.pid) {
                // Gone already is as good as ended.
                let _ = kill_process(pid, signal);
            }
            let asked = Instant::now();
            while identity.is_running() && asked.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(10));
            }
            if Instant::now() > patience {
                signal = Signal::KILL;
            }
            if Instant::now() > patience + PATIENCE {
                return;
            }
        }
    }

    fn record(&self, name: &str) -> PathBuf {
        self.records.join(name)
    }

    fn identity(&self, name: &str) -> Option<Identity> {
        let text = fs::read_to_string(self.record(name)).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        Some(Identity { pid: pid.parse().ok()?, started: started.parse().ok()? })
    }
}

impl Identity {
    fn is_running(self) -> bool {
        // A zombie has ended, once its last thread has let go of its ports; only its parent has not looked yet.
        state(self.pid).is_some_and(|state| (state.letter != 'Z' || state.threads > 1) && state.started == self.started)
    }
}

/// From `/proc/<pid>/stat`.
struct State {
    letter: char,
    threads: u32,
    started: u64,
}

fn state(pid: i32) -> Option<State> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may itself hold any character.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(State {
        letter: fields.first()?.chars().next()?,
        threads: fields.get(17)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes() -> (tempfile::TempDir, Processes) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(Some(folder.path().join("cluster"))).unwrap();
        layout.prepare().unwrap();
        let processes = Processes::of(&layout);
        (folder, processes)
    }

    #[test]
    fn a_process_is_started_found_and_ended() {
        let (_folder, processes) = processes();
        processes.start("sleep", Command::new("sleep").arg("60")).unwrap();
        assert!(processes.is_running("sleep"));
        assert_eq!(processes.names(), ["sleep"]);
        processes.stop("sleep");
        assert!(!processes.is_running("sleep"));
    }

    #[test]
    fn a_reused_id_is_not_taken_for_ours() {
        let (_folder, processes) = processes();
        // This very process, but started at another time.
        let record = format!("{} 1\n", std::process::id());
        fs::write(processes.record("other"), record).unwrap();
        assert!(!processes.is_running("other"));
        processes.kill("other");
    }
}
