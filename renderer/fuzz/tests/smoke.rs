//! Every target with its seeds and some thousand mutations of them, the same in every run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed assumption of a test is a failed test")]

use std::panic::catch_unwind;

use renderer::template::RENDER_STACK_BYTES;
use renderer_fuzz::{Mutator, Target};

/// Mutations of one target: a second or two in a build without optimisation.
const MUTATIONS: usize = 3_000;

fn smoke(name: &'static str) {
    let Some(target) = Target::named(name) else { panic!("no target {name}") };
    let run = move || {
        let seeds = (target.seeds)();
        assert!(seeds.len() > 3, "{name} has hardly any seeds");
        for seed in &seeds {
            run_one(target, seed);
        }
        let mut mutator = Mutator::new(1, (target.words)());
        for _ in 0..MUTATIONS {
            run_one(target, &mutator.mutate(&seeds));
        }
    };
    let thread = std::thread::Builder::new().stack_size(RENDER_STACK_BYTES).spawn(run);
    assert!(thread.unwrap().join().is_ok(), "{name} failed");
}

fn run_one(target: Target, input: &[u8]) {
    let outcome = catch_unwind(|| (target.run)(input));
    assert!(outcome.is_ok(), "{} fails for \"{}\"", target.name, input.escape_ascii());
}

#[test]
fn template_parse() {
    smoke("template_parse");
}

#[test]
fn template_execute() {
    smoke("template_execute");
}

#[test]
fn yaml_read() {
    smoke("yaml_read");
}

#[test]
fn yaml_write() {
    smoke("yaml_write");
}

#[test]
fn chart_archive() {
    smoke("chart_archive");
}

#[test]
fn set_argument() {
    smoke("set_argument");
}

#[test]
fn schema_walk() {
    smoke("schema_walk");
}
