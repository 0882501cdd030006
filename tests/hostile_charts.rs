//! Every attack of `tests/hostile` ends as it must, with limits that unoptimised code reaches soon.

use std::collections::BTreeSet;
use std::process::Command;

use tests::hostile::bombs;

#[test]
fn every_attack_comes_to_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_hostile")).arg("--quick").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn every_attack_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = bombs().map(|bomb| bomb.name).collect();
    assert_eq!(names.len(), bombs().count());
}
