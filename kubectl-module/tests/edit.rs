//! `edit` with scripts for an editor. Each script keeps a copy of what it was shown.

use crate::run::{Outcome, Place};

const APP: &str = "examples/modules/app.yaml";

/// Edits the example with an editor that runs one `sed` expression.
fn edit(place: &Place, expression: &str) -> Outcome {
    place.write("editor", &format!("cat \"$1\" >> shown\necho ======== >> shown\nsed -i -e '{expression}' \"$1\"\n"));
    place.run_with(&["edit", "-f", APP, "--offline"], &[("EDITOR", "sh ./editor"), ("VISUAL", "false")])
}

/// What the editor was shown, each time that it was opened.
fn shown(place: &Place) -> Vec<String> {
    place.read("shown").split_terminator("========\n").map(str::to_owned).collect()
}

fn left_behind(place: &Place) -> usize {
    std::fs::read_dir(place.path("home/.local/state/kubectl-module")).unwrap().count()
}

#[test]
fn a_change_is_written_and_shown() {
    let place = Place::new();
    let before = place.read(APP);
    let outcome = edit(&place, "s/^replicas: 2$/replicas: 5/");
    let stdout = "  ~ replicas: 2 -> 5\nmodule.cyclops-ui.com/app edited\n".to_owned();
    assert_eq!(outcome, Outcome { code: 0, stdout, stderr: String::new() });
    assert_eq!(place.read(APP), before.replace("replicas: 2", "replicas: 5"));
    assert_eq!(left_behind(&place), 0);
    let buffer = &shown(&place)[0];
    assert!(
        buffer
            .contains("\n  #~ Version. Tag of the image (string, length at least 1, default \"1.29\")\n  #~ LOCKED\n")
    );
    assert!(
        buffer.contains("\nconfig:\n  #~ string\n  start.sh: |\n    #!/bin/sh\n    # Waits for the database"),
        "{buffer}"
    );
}

#[test]
fn nothing_changed_or_nothing_left_is_a_cancellation() {
    for (expression, message) in [
        ("", "Edit cancelled, no changes made.\n"),
        ("s/#~ LOCKED/# a comment/", "Edit cancelled, no changes made.\n"),
        ("d", "Edit cancelled, saved file was empty.\n"),
    ] {
        let place = Place::new();
        let before = place.read(APP);
        let outcome = edit(&place, expression);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, message), "{expression}");
        assert_eq!(place.read(APP), before);
        assert_eq!(left_behind(&place), 0);
    }
}

#[test]
fn a_locked_change_comes_back_with_the_reason_beside_it() {
    let place = Place::new();
    let before = place.read(APP);
    let outcome = edit(&place, "s/version: \"1.10\"/version: \"1.11\"/");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""));
    let expected = "\
Error: Edit cancelled, no valid changes were saved
  general.version: locked by the template: it is \"1.10\" and must not become \"1.11\". Only the service account \
argocd/argocd-application-controller and the service account flux-system/kustomize-controller may change it. Change it in Git, from where it is applied.
Hint: your text is in PLACE/home/.local/state/kubectl-module/app-";
    assert!(outcome.stderr.starts_with(expected), "{}", outcome.stderr);
    let buffers = shown(&place);
    assert_eq!(buffers.len(), 2);
    assert!(buffers[1].starts_with("#~! The values were refused:\n#~! * general.version: locked by the template: "));
    let reason = "  #~! locked by the template: it is \"1.10\" and must not become \"1.11\".";
    let line = buffers[1].lines().position(|line| line.starts_with(reason)).expect("a reason beside the value");
    assert_eq!(buffers[1].lines().nth(line + 1), Some("  version: \"1.11\""));
    assert_eq!(place.read(APP), before);
    assert_eq!(left_behind(&place), 1);
}

#[test]
fn what_is_no_yaml_or_not_valid_comes_back_too() {
    for (expression, reason, code) in [
        ("s/^replicas: 2$/replicas: : 2/", "#~! The values cannot be read:", 1),
        ("s/^replicas: 2$/replicas: 99/", "maximum: got 99, want 50", 3),
    ] {
        let place = Place::new();
        let outcome = edit(&place, expression);
        assert_eq!(outcome.code, code, "{expression}: {}", outcome.stderr);
        let buffers = shown(&place);
        assert_eq!(buffers.len(), 2);
        assert!(buffers[1].contains(reason), "{}", buffers[1]);
    }
}

#[test]
fn a_second_try_can_succeed() {
    let place = Place::new();
    // The first opening breaks the text, the second mends it.
    let outcome = edit(&place, "s/^replicas: \\([39]\\)\\1*$/replicas: 4/;s/^replicas: 2$/replicas: 99/");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "  ~ replicas: 2 -> 4\nmodule.cyclops-ui.com/app edited\n");
    assert_eq!(shown(&place).len(), 2);
    assert!(!place.read(APP).contains("#~"));
}

#[test]
fn an_editor_that_fails_loses_nothing() {
    let place = Place::new();
    let outcome = place.run_with(&["edit", "-f", APP, "--offline"], &[("KUBE_EDITOR", "false")]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.starts_with("Error: there was a problem with the editor false: "), "{}", outcome.stderr);
    assert_eq!(left_behind(&place), 1);
}
