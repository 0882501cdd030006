//! The charts of the renderer's fixtures, rendered by both Helm releases and by the plugin: what is recorded there is
//! what Helm answers, and the plugin answers the same.

#[path = "../../renderer/tests/charts/format.rs"]
mod format;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use format::{Case, pack};
use tests::checkout;
use tests::oracle::Release;

/// What Helm adds to errors of a render.
const ADVICE: &str = "\n\nUse --debug flag to render out invalid YAML";

#[test]
fn charts_are_rendered_as_recorded() {
    let helm = checkout::helm_programs().unwrap();
    let plugin = checkout::programs().unwrap().plugin;
    let mut failures = String::new();
    let mut count = 0;
    let mut files: Vec<_> = fs::read_dir(checkout::root().join("renderer/tests/fixtures/charts"))
        .unwrap()
        .map(|file| file.unwrap())
        .collect();
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        for case in Case::read(&fs::read_to_string(file.path()).unwrap()) {
            let folder = tempfile::tempdir().unwrap();
            let chart = write(&case, folder.path());
            for (release, name) in [(Release::V4, "v4"), (Release::V3, "v3")] {
                count += 1;
                let recorded = case.answer(name);
                let mut command = Command::new(helm.join(release.helm()));
                command.arg("template");
                let answered = run(command, &case, chart, folder.path());
                let mut command = Command::new(&plugin);
                command.args(["render", "--profile", name]);
                let ours = run(command, &case, chart, folder.path());
                if !case.agrees(recorded, &answered) {
                    writeln!(failures, "{}, {name}: recorded {recorded:?}, but helm says {answered:?}", case.name)
                        .unwrap();
                }
                if !case.has("library") && !case.agrees(recorded, &ours) {
                    writeln!(failures, "{}, {name}: helm says {answered:?}, the plugin {ours:?}", case.name).unwrap();
                }
            }
        }
    }
    assert!(count > 400, "only {count} cases were found");
    assert!(failures.is_empty(), "\n{failures}");
}

/// Writes the chart and the files beside it; returns what to render.
fn write(case: &Case, folder: &Path) -> &'static str {
    let files = case.files();
    for (name, text) in &case.beside {
        fs::write(folder.join(name), text).unwrap();
    }
    if case.has("archive") {
        let names: Vec<String> = files.iter().map(|(name, _)| format!("chart/{name}")).collect();
        let packed: Vec<(&str, &[u8])> =
            names.iter().zip(&files).map(|(name, (_, data))| (name.as_str(), data.as_slice())).collect();
        fs::write(folder.join("chart.tgz"), pack(&packed)).unwrap();
        return "chart.tgz";
    }
    fs::create_dir(folder.join("chart")).unwrap();
    for (name, data) in files {
        let path = folder.join("chart").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }
    "chart"
}

/// What a program prints, or the last thing that it says of an error.
fn run(mut command: Command, case: &Case, chart: &str, folder: &Path) -> Result<String, String> {
    command.current_dir(folder).env("HOME", folder).env_remove("HELM_NAMESPACE").env_remove("KUBECONFIG");
    command.args(case.release_name()).arg(chart).args(&case.flags);
    let output = command.output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let text = String::from_utf8(output.stderr).unwrap();
    let error = text.split_once("Error: ").map_or(text.as_str(), |(_, error)| error);
    let error = error.rsplit_once("Caused by: ").map_or(error, |(_, cause)| cause);
    Err(error.replace(ADVICE, "").replace(&format!("{}/", folder.display()), "").trim_end().to_owned())
}
