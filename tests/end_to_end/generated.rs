//! Renders generated charts with Helm and with ours: the same in every run. `tests/differential --seed` tries others.

use std::fmt::Write;
use std::fs;
use std::sync::Mutex;

use tests::checkout;
use tests::differential::{Judged, Plan, fixture, run, show};
use tests::oracle::Release;

const CASES: u64 = 1000;

#[test]
fn generated_charts_render_as_helm_4_renders_them() {
    compare(Release::V4, 1);
}

#[test]
fn generated_charts_render_as_helm_3_renders_them() {
    compare(Release::V3, 1);
}

fn compare(release: Release, seed: u64) {
    let differences = Mutex::new(String::new());
    let tell = |judged: &Judged| {
        let case = serde_json::to_string_pretty(&judged.case).unwrap();
        let mut differences = differences.lock().unwrap();
        writeln!(differences, "{case}\nhelm: {:?}\nours: {:?}", judged.helm, judged.ours).unwrap();
    };
    let plan = Plan { cases: CASES, seed, release, told: 3 };
    let summary = run(&checkout::helm_programs().unwrap(), plan, &|_| {}, &tell).unwrap();
    let differences = differences.into_inner().unwrap();
    assert!(summary.is_clean(), "{release:?}, seeds from {seed}: {summary:?}\n{differences}");
    assert_eq!(summary.compared, CASES);
    assert!(summary.rendered_percent() >= 60, "{summary:?}");
}

/// Charts on which the two differed once, reduced (`tests/differential --record`).
#[test]
fn charts_that_differed_render_alike() {
    let mut names: Vec<_> = fs::read_dir(checkout::root().join("tests/fixtures/generated"))
        .unwrap()
        .map(|folder| folder.unwrap().path())
        .collect();
    names.sort();
    assert!(!names.is_empty());
    let cases: Vec<_> = names.iter().map(|folder| fixture::read(folder).unwrap()).collect();
    let programs = checkout::helm_programs().unwrap();
    for release in [Release::V4, Release::V3] {
        let (told, differences) = (Mutex::new(0), Mutex::new(String::new()));
        let tell = |judged: &Judged| {
            *told.lock().unwrap() += 1;
            if judged.difference.is_some() {
                writeln!(differences.lock().unwrap(), "{judged:#?}").unwrap();
            }
        };
        show(&programs, release, &cases, &tell).unwrap();
        assert_eq!(told.into_inner().unwrap(), names.len());
        assert_eq!(differences.into_inner().unwrap(), "", "{release:?}");
    }
}
