//! Renders the charts that Helm tests itself with: everything below the `testdata` folders of its Go module.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::oracle::Release;
use tests::parity::{Comparer, Ours, Verdict, find_cases};
use tests::{checkout, command};

#[test]
fn charts_of_helm_4_render_as_there() {
    compare(Release::V4, 140);
}

#[test]
fn charts_of_helm_3_render_as_there() {
    compare(Release::V3, 90);
}

/// Refusals whose texts are not compared: they name a path on the disk, or are mistakes of Helm in its way of loading
/// charts of version 3, which it does not render.
const OTHER_WORDS: &[&str] =
    &["does not appear to be a gzipped archive", "panic: ", "unsupported chart dependency type"];

fn compare(release: Release, at_least: usize) {
    let mut cases = Vec::new();
    for folder in testdata(&module(release)) {
        cases.extend(find_cases(&folder).unwrap());
    }
    assert!(cases.len() >= at_least, "only {} charts were found", cases.len());
    let programs = checkout::helm_programs().unwrap();
    let ours = Ours {
        kube_version: "1.34.0".to_owned(),
        release_name: "release".to_owned(),
        namespace: "somewhere".to_owned(),
        validate_schema: true,
    };
    let failures = std::thread::scope(|scope| {
        let work = || {
            let mut comparer = Comparer::new(&ours, release, &programs).unwrap();
            let mut failures = String::new();
            for case in &cases {
                match comparer.compare(case).unwrap().0 {
                    Verdict::Identical | Verdict::Masked | Verdict::Unvendored | Verdict::SameRefusal => {}
                    Verdict::OtherRefusal { helm, .. } if OTHER_WORDS.iter().any(|words| helm.contains(words)) => {}
                    verdict => writeln!(failures, "{}: {verdict:?}", case.chart.display()).unwrap(),
                }
            }
            failures
        };
        let builder = std::thread::Builder::new().stack_size(renderer::template::RENDER_STACK_BYTES);
        builder.spawn_scoped(scope, work).unwrap().join().unwrap()
    });
    assert!(failures.is_empty(), "\n{failures}");
}

/// The folder of Helm's module, which building the oracle has brought.
fn module(release: Release) -> PathBuf {
    checkout::helm_programs().unwrap();
    let (folder, module) = release.module();
    let mut list = Command::new("go");
    list.args(["list", "-m", "-f", "{{.Dir}}", module]);
    list.current_dir(checkout::root().join("tests/control-plane").join(folder));
    PathBuf::from(command::run(&mut list).unwrap().success().unwrap().trim())
}

/// The `testdata` folders below a folder, not those inside others.
fn testdata(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() || !path.is_dir() {
            continue;
        }
        if path.ends_with("testdata") {
            found.push(path);
        } else {
            found.extend(testdata(&path));
        }
    }
    found.sort();
    found
}
