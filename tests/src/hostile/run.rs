//! Runs an attack in a process of its own, and measures it there.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use serde::{Deserialize, Serialize};

use super::{Bomb, render};

/// An attack that goes on for so long will never end.
const PATIENCE: Duration = Duration::from_mins(2);
/// The address space of a process: a chart that takes more than this must not take the whole machine.
const ADDRESS_SPACE: u64 = 8 << 30;

/// What an attack came to.
#[derive(Debug, Deserialize, Serialize)]
pub struct Report {
    /// Whether it ended as it must.
    pub is_as_expected: bool,
    /// What came out, or how the process died.
    pub ended: String,
    /// Whether it makes keys that must be random, which no limit makes quick.
    pub makes_keys: bool,
    /// The time of a processor that loading and rendering took.
    pub milliseconds: u64,
    /// The most memory that the process took at once for the attack, which is itself included, besides what it has without.
    pub peak_bytes: u64,
}

/// Renders an attack in this process, which should have nothing else to do.
pub fn report(bomb: &Bomb, quick: bool) -> Result<Report> {
    setrlimit(Resource::RLIMIT_AS, ADDRESS_SPACE, ADDRESS_SPACE)?;
    let limits = bomb.limits(quick);
    let bytes_before = peak_bytes()?;
    let input = (bomb.input)();
    let makes_keys = input.fresh_keys;
    let before = processor_time()?;
    let ended = render(input, limits);
    let time = processor_time()?.saturating_sub(before);
    Ok(Report {
        is_as_expected: ended.is_as_expected(bomb, limits, quick),
        ended: ended.shown(),
        makes_keys,
        milliseconds: u64::try_from(time.as_millis())?,
        peak_bytes: peak_bytes()?.saturating_sub(bytes_before),
    })
}

fn peak_bytes() -> Result<u64> {
    Ok(u64::try_from(getrusage(UsageWho::RUSAGE_SELF)?.max_rss())? << 10)
}

fn processor_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let [user, system] = [usage.user_time(), usage.system_time()];
    let microseconds = (user.tv_sec() + system.tv_sec()) * 1_000_000 + user.tv_usec() + system.tv_usec();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

/// Starts a program that prints the [`report`] of an attack, and reads that.
pub fn run(program: &mut Command) -> Result<Report> {
    let mut child = program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let status = wait(&mut child)?;
    let (mut stdout, mut stderr) = (String::new(), String::new());
    // What it says fits into the pipes.
    child.stdout.take().context("the process has no output")?.read_to_string(&mut stdout)?;
    child.stderr.take().context("the process has no output")?.read_to_string(&mut stderr)?;
    let died = || {
        let how = status.map_or("does not end".to_owned(), |status| format!("died: {status}"));
        let ended = format!("{how} {stderr}");
        Report { is_as_expected: false, ended, makes_keys: false, milliseconds: 0, peak_bytes: 0 }
    };
    Ok(serde_json::from_str(&stdout).unwrap_or_else(|_| died()))
}

/// None if the process had to be ended.
fn wait(child: &mut Child) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
