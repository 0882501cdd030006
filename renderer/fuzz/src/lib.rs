//! What the fuzz targets do with their input: libFuzzer (`fuzz_targets/`), the smoke test and `replay` share it.
//!
//! A target returns for every input, whatever it is. It panics where the renderer breaks a promise.

#![expect(clippy::panic, reason = "a fuzz target tells of a broken promise by a panic")]

mod charts;
mod dictionary;
mod mutate;
mod schemas;
mod seeds;
mod set;
mod templates;
mod yaml;

pub use charts::chart_archive;
pub use mutate::Mutator;
pub use schemas::schema_walk;
pub use set::set_argument;
pub use templates::{template_execute, template_parse};
pub use yaml::{yaml_read, yaml_write};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, as of the file in `fuzz_targets/` and the folder in `seeds/`.
    pub name: &'static str,
    /// What it does with an input.
    pub run: fn(&[u8]),
    /// Inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the input's language.
    pub words: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// The target of that name.
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.into_iter().find(|target| target.name == name)
    }
}

/// All targets.
pub const TARGETS: [Target; 7] = [
    Target { name: "template_parse", run: template_parse, seeds: seeds::template_parse, words: dictionary::template },
    Target {
        name: "template_execute",
        run: template_execute,
        seeds: seeds::template_execute,
        words: dictionary::template,
    },
    Target { name: "yaml_read", run: yaml_read, seeds: seeds::yaml_read, words: dictionary::yaml },
    Target { name: "yaml_write", run: yaml_write, seeds: seeds::yaml_write, words: dictionary::yaml },
    Target { name: "chart_archive", run: chart_archive, seeds: seeds::chart_archive, words: dictionary::chart },
    Target { name: "set_argument", run: set_argument, seeds: seeds::set_argument, words: dictionary::set },
    Target { name: "schema_walk", run: schema_walk, seeds: seeds::schema_walk, words: dictionary::schema },
];

/// The line between the parts of an input that has several.
const SEPARATOR: &[u8] = b"\n%%%\n";

/// Cuts an input at the first separator; without one, the second part is empty.
fn parts(input: &[u8]) -> (&[u8], &[u8]) {
    let position = input.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
    position.map_or((input, &[]), |position| (&input[..position], &input[position + SEPARATOR.len()..]))
}

#[cfg(fuzzing)]
#[doc(hidden)]
pub use libfuzzer_sys;

/// The main function of a target: libFuzzer's loop in a build for fuzzing, otherwise nothing.
#[cfg(fuzzing)]
#[macro_export]
macro_rules! fuzz_target {
    ($target:ident) => {
        use $crate::libfuzzer_sys;
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::$target(input));
    };
}

/// The main function of a target: libFuzzer's loop in a build for fuzzing, otherwise nothing.
#[cfg(not(fuzzing))]
#[macro_export]
macro_rules! fuzz_target {
    ($target:ident) => {
        fn main() {
            let _: fn(&[u8]) = $crate::$target;
        }
    };
}
