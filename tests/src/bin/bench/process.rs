//! What a running process has used, as the kernel tells in `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The unit of times in `/proc`: 100 on every architecture that Kubernetes runs on.
const TICKS_PER_SECOND: u32 = 100;

/// Processor time of a process, its threads' and the kernel's for them.
pub(crate) fn processor_time(id: u32) -> Result<Duration> {
    let path = format!("/proc/{id}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} could not be read"))?;
    // The name before it may hold spaces. From here on: state, then what proc_pid_stat(5) numbers from 4.
    let fields: Vec<&str> = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |number: usize| -> Result<u64> {
        let field = fields.get(number - 3).with_context(|| format!("{path} has no field {number}"))?;
        field.parse().with_context(|| format!("{path}: field {number} is no number"))
    };
    Ok(Duration::from_secs(ticks(14)? + ticks(15)?) / TICKS_PER_SECOND)
}

/// Resident memory of a process in MiB, now.
pub(crate) fn memory(id: u32) -> Result<f64> {
    status(id, "VmRSS:")
}

/// The most that [`memory`] was since [`forget_peak`], in MiB.
pub(crate) fn peak_memory(id: u32) -> Result<f64> {
    status(id, "VmHWM:")
}

/// Begins a new measurement of the peak of memory.
pub(crate) fn forget_peak(id: u32) -> Result<()> {
    // 5 resets VmHWM: proc_pid_clear_refs(5).
    let path = format!("/proc/{id}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("{path} could not be written"))
}

fn status(id: u32, field: &str) -> Result<f64> {
    let path = format!("/proc/{id}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} could not be read"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes = kibibytes.with_context(|| format!("{path} has no {field}"))?;
    Ok(kibibytes.trim().parse::<f64>()? / 1024.0)
}
