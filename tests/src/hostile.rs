//! Charts that attack whoever renders them, and how each attack must end: in an error that names the limit that it
//! reached and the place where, or in the harmless output that Helm gives too. `tests/hostile` renders each in a process
//! of its own and measures what it cost; `cargo test` looks at the ends only.

mod archives;
mod charts;
mod codecs;
mod costly;
mod input;
mod loops;
mod output;
mod patterns;
mod recursion;
mod render;
mod run;
mod schemas;
mod source;
mod texts;
mod values;

use renderer::Limits;

pub use input::Input;
pub use render::{Ended, render};
pub use run::{Report, report, run};

/// What the limits of a render are divided by for a quick run: unoptimised code is that much slower.
const QUICK_PART: u64 = 32;

/// One attack.
pub struct Bomb {
    /// A name that no other attack has.
    pub name: &'static str,
    /// What it tries to make large or endless.
    pub attacks: &'static str,
    /// How it must end.
    pub end: End,
    /// Makes the chart and all that it is rendered with.
    pub input: fn() -> Input,
}

/// How an attack must end.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// A template reaches [`Limits::steps`].
    Steps,
    /// A template reaches [`Limits::bytes`].
    Bytes,
    /// A template reaches [`Limits::held`].
    Held,
    /// A template reaches [`Limits::depth`].
    Depth,
    /// An error whose text has this part.
    Refused(&'static str),
    /// No error: the manifests have this part.
    PrintedWith(&'static str),
    /// No error: the manifests are exactly this.
    Printed(&'static str),
}

const fn bomb(name: &'static str, attacks: &'static str, end: End, input: fn() -> Input) -> Bomb {
    Bomb { name, attacks, end, input }
}

/// All attacks, one family after the other.
pub fn bombs() -> impl Iterator<Item = &'static Bomb> {
    let families = [
        loops::BOMBS,
        recursion::BOMBS,
        source::BOMBS,
        texts::BOMBS,
        patterns::BOMBS,
        costly::BOMBS,
        codecs::BOMBS,
        values::BOMBS,
        schemas::BOMBS,
        charts::BOMBS,
        archives::BOMBS,
        output::BOMBS,
    ];
    families.into_iter().flatten()
}

impl Bomb {
    /// The limits of the webhook; in a quick run a part of them, if a template is to reach one.
    pub fn limits(&self, quick: bool) -> Limits {
        let limits = Limits::default();
        match self.end {
            End::Steps | End::Bytes | End::Held if quick => Limits {
                steps: limits.steps / QUICK_PART,
                bytes: limits.bytes / QUICK_PART,
                held: limits.held / QUICK_PART,
                ..limits
            },
            _ => limits,
        }
    }
}
