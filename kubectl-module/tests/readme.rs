//! The README's commands say what the README says they say.

use crate::run::Place;

const README: &str = include_str!("../../README.md");
const CARGO: &str = "$ cargo run --release --bin kubectl-module -- ";

/// The arguments of each command in the README, and the output below it.
fn commands() -> Vec<(Vec<&'static str>, &'static str)> {
    README
        .split("```console\n")
        .filter_map(|block| block.split("```").next()?.strip_prefix(CARGO)?.split_once('\n'))
        .map(|(arguments, output)| (arguments.split(' ').collect(), output))
        .collect()
}

#[test]
fn the_first_commands_are_true() {
    let place = Place::new();
    let commands = commands();
    let [(free, shown), (locked, refusal)] = commands.as_slice() else { panic!("{commands:?}") };
    let outcome = place.run(free);
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, *shown, ""));

    let outcome = place.run(locked);
    assert_eq!(outcome.code, 3);
    // The README breaks long lines.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let refusal = refusal.strip_prefix("...\n").unwrap();
    assert_eq!(words(&outcome.stderr), words(refusal));
}
