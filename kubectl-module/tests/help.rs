//! All help texts in one file, so that a change of any of them is seen.

use crate::run::Place;

#[test]
fn help_of_every_command() {
    let place = Place::new();
    let mut text = place.run(&["--help"]).stdout;
    assert_eq!(place.run(&["help"]).stdout, text);
    for command in ["check", "edit", "explain", "get", "preview", "render", "set", "version"] {
        let outcome = place.run(&[command, "--help"]);
        assert_eq!(outcome.code, 0);
        text.push_str(&format!("\n\n======== {command} ========\n{}", outcome.stdout));
    }
    insta::with_settings!({prepend_module_to_snapshot => false}, { insta::assert_snapshot!("help", text) });
}

#[test]
fn wrong_usage_ends_with_code_2() {
    let place = Place::new();
    for arguments in [
        &["no-such-command"][..],
        &["preview"],
        &["preview", "--offline", "demo"],
        &["preview", "demo", "-f", "examples/modules/demo.yaml", "--set", "replicas=3"],
        &["preview", "demo", "--template-root", "x=y", "--set", "replicas=3"],
        &["preview", "-f", "examples/modules/demo.yaml", "--offline"],
        &["set", "-f", "examples/modules/demo.yaml", "--offline"],
        &["set", "-f", "examples/modules/demo.yaml", "--offline", "replicas"],
        &["set", "replicas=2"],
        &["render"],
        &["render", "-f", "examples/modules/demo.yaml", "--offline", "--set", "replicas=3"],
        &["explain", "-f", "examples/modules/demo.yaml", "--offline", "a[x]"],
        &["edit", "-f", "examples/modules/demo.yaml", "--offline"],
    ] {
        let outcome = place.run(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {outcome:?}");
        assert_eq!(outcome.stdout, "");
    }
}
