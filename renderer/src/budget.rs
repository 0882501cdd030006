//! Limits on what one render may consume.
//!
//! Every step, every byte of output and every allocation that a template can ask for is charged before it happens,
//! so that a hostile chart ends in an error and never in a hang or an exhausted machine.

use std::cell::Cell;

/// Upper bounds for one render. The defaults are far above what the largest public charts need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Evaluation steps: nodes executed, list elements visited, function calls, and one for each
    /// [`BYTES_PER_STEP`] bytes read or produced.
    pub steps: u64,
    /// Bytes that all templates together may write or build as strings, lists and maps, whether or not they are kept.
    pub bytes: u64,
    /// Bytes of strings, lists and maps, counted as for [`Limits::bytes`], that may be in use at once. Functions need up to
    /// as much again while they work.
    pub held: u64,
    /// Depth of nested `include`, `tpl`, `template`, control structures, parentheses and printed lists and maps, all
    /// together. A higher limit needs a larger stack than [`crate::template::RENDER_STACK_BYTES`].
    pub depth: u32,
}

/// Bytes that are read or produced in the time of one step. The slowest functions (case conversion, hashes, reading YAML)
/// take some ten nanoseconds for a byte.
pub const BYTES_PER_STEP: u64 = 16;

/// About one second of evaluation on one core; kube-prometheus-stack needs less than a hundredth of it.
const DEFAULT_STEPS: u64 = 50_000_000;
/// The largest public chart tried renders about 2 MB; `include | nindent` chains copy each byte a few times. One
/// (envoy-gateway) needs 132 MB.
const DEFAULT_BYTES: u64 = 256 << 20;
/// Nearly all public charts hold less than 8 MB, one (ibm-watson-assistant, by changing its values again and again)
/// 35 MB. A text that grows to this limit takes 120 MB with what its growth leaves behind.
const DEFAULT_HELD: u64 = 40 << 20;
/// Helm stops an `include` of one name at 1,000; a recursive helper goes a handful of levels deeper each time.
const DEFAULT_DEPTH: u32 = 10_000;

impl Default for Limits {
    fn default() -> Self {
        Self { steps: DEFAULT_STEPS, bytes: DEFAULT_BYTES, held: DEFAULT_HELD, depth: DEFAULT_DEPTH }
    }
}

/// The resource that ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetExceeded {
    /// More evaluation steps than [`Limits::steps`].
    #[error("the template needs more than {limit} evaluation steps")]
    Steps {
        /// The limit that was reached.
        limit: u64,
    },
    /// More bytes than [`Limits::bytes`].
    #[error("the template produces more than {limit} bytes")]
    Bytes {
        /// The limit that was reached.
        limit: u64,
    },
    /// More bytes at once than [`Limits::held`].
    #[error("the template holds more than {limit} bytes at once")]
    Held {
        /// The limit that was reached.
        limit: u64,
    },
    /// Larger files than a render may print.
    #[error("the chart prints more than {limit} bytes")]
    Output {
        /// The limit that was reached.
        limit: usize,
    },
    /// More documents than a render may print.
    #[error("the chart prints more than {limit} documents")]
    Documents {
        /// The limit that was reached.
        limit: usize,
    },
    /// A value that nests deeper than can be written.
    #[error("the value nests deeper than {limit} levels")]
    Nesting {
        /// The limit that was reached.
        limit: usize,
    },
    /// Deeper nesting than [`Limits::depth`].
    #[error("the template nests deeper than {limit} levels")]
    Depth {
        /// The limit that was reached.
        limit: u32,
    },
}

/// What is left of the [`Limits`] of one render.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    steps: Cell<u64>,
    bytes: Cell<u64>,
    /// What is held at most, except what is [kept](Budget::charge_kept).
    held: Cell<u64>,
    /// What may be held besides what is kept.
    room: Cell<u64>,
    /// How often maps and variables were changed.
    changes: Cell<u64>,
    depth: Cell<u32>,
}

/// A moment of a render, from which on what is built may be forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    held: u64,
    changes: u64,
}

impl Budget {
    /// A full budget.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            steps: Cell::default(),
            bytes: Cell::default(),
            held: Cell::default(),
            room: Cell::new(limits.held),
            changes: Cell::default(),
            depth: Cell::default(),
        }
    }

    /// Charges `count` evaluation steps.
    pub fn charge_steps(&self, count: u64) -> Result<(), BudgetExceeded> {
        let used = self.steps.get().saturating_add(count);
        self.steps.set(used);
        if used > self.limits.steps { Err(BudgetExceeded::Steps { limit: self.limits.steps }) } else { Ok(()) }
    }

    /// Charges `count` bytes about to be produced, and the time to produce them. Call before allocating.
    pub fn charge_bytes(&self, count: u64) -> Result<(), BudgetExceeded> {
        let used = self.bytes.get().saturating_add(count);
        self.bytes.set(used);
        if used > self.limits.bytes {
            return Err(BudgetExceeded::Bytes { limit: self.limits.bytes });
        }
        let held = self.held.get().saturating_add(count);
        self.held.set(held);
        if held > self.room.get() {
            return Err(BudgetExceeded::Held { limit: self.limits.held });
        }
        self.charge_reading(count)
    }

    /// As [`Budget::charge_bytes`], for what is held until the end of the render.
    pub(crate) fn charge_kept(&self, count: u64) -> Result<(), BudgetExceeded> {
        let held = self.held.get();
        self.charge_bytes(count)?;
        self.held.set(held);
        self.room.set(self.room.get() - count);
        Ok(())
    }

    /// A moment that [`Budget::forget`] can go back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark { held: self.held.get(), changes: self.changes.get() }
    }

    /// Says that of what was built since a moment only so many bytes are still in use. That holds unless a map or an older
    /// variable was changed since then, which may hold anything now.
    pub(crate) fn forget(&self, mark: Mark, left: usize) {
        if mark.changes == self.changes.get() {
            self.held.set(self.held.get().min(mark.held.saturating_add(left as u64)));
        }
    }

    /// Has to be told of every change of a map or variable that was there before.
    pub(crate) fn note_change(&self) {
        self.changes.set(self.changes.get() + 1);
    }

    /// Charges the time to read `count` bytes.
    pub fn charge_reading(&self, count: u64) -> Result<(), BudgetExceeded> {
        self.charge_steps(count / BYTES_PER_STEP)
    }

    /// Enters one level of nesting; pair with [`Budget::leave`].
    pub fn enter(&self) -> Result<(), BudgetExceeded> {
        let depth = self.depth.get() + 1;
        if depth > self.limits.depth {
            return Err(BudgetExceeded::Depth { limit: self.limits.depth });
        }
        self.depth.set(depth);
        Ok(())
    }

    /// Leaves one level of nesting.
    pub fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}
