//! Renders generated charts with Helm and with ours: the same in every run. `tests/differential --seed` tries others.

use std::fmt::Write;
use std::sync::Mutex;

use tests::checkout;
use tests::differential::{Judged, Plan, run};
use tests::oracle::Release;

const CASES: u64 = 1000;

#[test]
fn generated_charts_render_as_helm_4_renders_them() {
    compare(Release::V4, 447);
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
    assert_eq!(summary.differences(), 0, "{release:?}, seeds from {seed}: {:?}\n{differences}", summary.different);
    assert!(summary.compared + 20 > CASES && summary.rendered * 5 > CASES, "{summary:?}");
}
