//! What can be done without a cluster: the commands of the README.

use serde_json::{Value, json};

use crate::run::{Outcome, Place};

const SHOP: &str = "examples/modules/storefront.yaml";

fn outcome(code: i32, stdout: &str, stderr: &str) -> Outcome {
    Outcome { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
}

const FREE: &str = "\
Values
  ~ shop.replicas: 2 -> 4

Resources
~ Deployment team-a/storefront-shop (apps/v1) is changed
@@ -11,7 +11,7 @@
     cyclops.module: storefront
     example.com/team: web
 spec:
-  replicas: 2
+  replicas: 4
   selector:
     matchLabels:
       app.kubernetes.io/instance: storefront

Plan: 0 to add, 1 to change, 0 to delete
";

#[test]
fn a_free_value_is_previewed() {
    let place = Place::new();
    let arguments = ["preview", "-f", SHOP, "--offline", "--set", "shop.replicas=4"];
    assert_eq!(place.run(&arguments), outcome(0, FREE, ""));
    let with_code = [&arguments[..], &["--exit-code"]].concat();
    assert_eq!(place.run(&with_code), outcome(1, FREE, ""));
}

#[test]
fn no_difference_is_said_too() {
    let place = Place::new();
    let arguments = ["preview", "-f", SHOP, "--offline", "--set", "shop.replicas=2", "--exit-code"];
    assert_eq!(place.run(&arguments), outcome(0, "Plan: 0 to add, 0 to change, 0 to delete\n", ""));
}

#[test]
fn a_locked_value_is_refused() {
    let place = Place::new();
    let refused = place.run(&["preview", "-f", SHOP, "--offline", "--set", "cache.version=8.0"]);
    assert_eq!(refused.code, 3);
    assert!(
        refused.stdout.starts_with("Values\n  ~ cache.version: \"8.2\" -> \"8.0\"  LOCKED\n"),
        "{}",
        refused.stdout
    );
    assert!(refused.stdout.ends_with("\nPlan: 0 to add, 1 to change, 0 to delete\n"));
    let expected = "\
Error: the change of module team-a/storefront is refused
  spec.values.cache.version
    locked by the template's sub-chart cache: it is \"8.2\" and must not become \"8.0\". Only the service account \
argocd/argocd-application-controller and the service account flux-system/kustomize-controller may change it. Change it in Git, from where it is applied.
Hint: this is judged for somebody whom no policy names; for the GitOps writer add --as \
system:serviceaccount:argocd:argocd-application-controller
";
    assert_eq!(refused.stderr, expected);
}

#[test]
fn programs_get_one_document() {
    let place = Place::new();
    let run = |value: &str| {
        let outcome = place.run(&["preview", "-f", SHOP, "--offline", "--set", value, "-o", "json"]);
        assert_eq!(outcome.stderr, "");
        (outcome.code, serde_json::from_str::<Value>(&outcome.stdout).unwrap())
    };
    let (code, free) = run("shop.replicas=4");
    assert_eq!(code, 0);
    assert_eq!(free["allowed"], true);
    assert_eq!(free["values"], json!([{"path": "shop.replicas", "old": 2, "new": 4, "locked": false}]));
    assert_eq!(free["summary"], json!({"add": 0, "change": 1, "delete": 0}));
    assert_eq!(free["resources"][0]["name"], "storefront-shop");
    let (code, locked) = run("domain=evil.example.com");
    assert_eq!(code, 3);
    assert_eq!(locked["allowed"], false);
    assert_eq!(locked["refusal"]["causes"][0]["field"], "spec.values.domain");
}

#[test]
fn resources_come_and_go() {
    let place = Place::new();
    let arguments =
        ["preview", "-f", "examples/modules/app.yaml", "--offline", "--set", "autoscaling.enabled=true,replicas=1"];
    let shown = place.run(&arguments);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    assert!(shown.stdout.contains("\n+ HorizontalPodAutoscaler team-a/app (autoscaling/v2) is added\n@@ -0,0 "));
    assert!(shown.stdout.contains("\n- PodDisruptionBudget team-a/app (policy/v1) is deleted\n"));
    assert!(shown.stdout.ends_with("\nPlan: 1 to add, 1 to change, 1 to delete\n"), "{}", shown.stdout);
}

#[test]
fn secrets_are_never_shown() {
    let place = Place::new();
    let arguments = ["preview", "-f", "examples/modules/app.yaml", "--offline", "--set", "secrets.TOKEN=geheim"];
    let shown = place.run(&arguments);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let all = shown.stdout + &shown.stderr;
    assert!(all.contains("+ secrets.TOKEN: \"(hidden)\""));
    // As it is, and as base64.
    assert!(!all.contains("geheim") && !all.contains("Z2VoZWlt"), "{all}");
}

#[test]
fn explain_names_types_locks_and_owners() {
    let place = Place::new();
    let expected = "\
MODULE:    team-a/app
TEMPLATE:  app of https://git.example.com/platform/templates at main

VALUE: general.version <string>  LOCKED
  Version. Tag of the image
  now: \"1.10\" (set by the Module)
  default: \"1.29\"
  bounds: length at least 1
  changed by: the service account argocd/argocd-application-controller and the service account \
flux-system/kustomize-controller
";
    let arguments = ["explain", "-f", "examples/modules/app.yaml", "--offline", "general.version"];
    assert_eq!(place.run(&arguments), outcome(0, expected, ""));
    let tree = place.run(&["explain", "-f", SHOP, "--offline", "-R"]);
    assert!(tree.stdout.contains("\n  cache <object>\n    enabled <boolean>\n    version <string>  LOCKED\n"));
    let unknown = place.run(&["explain", "-f", SHOP, "--offline", "cache.persistence.colour"]);
    let expected = "\
Error: the template knows no value cache.persistence.colour
Hint: cache.persistence has: enabled, size
";
    assert_eq!(unknown, outcome(1, "", expected));
}

#[test]
fn set_changes_the_values_in_the_file_and_nothing_else() {
    let place = Place::new();
    let before = place.read(SHOP);
    let arguments = ["set", "-f", SHOP, "--offline", "shop.replicas=4"];
    let dry = place.run(&[&arguments[..], &["--dry-run=client"]].concat());
    let expected = "  ~ shop.replicas: 2 -> 4\nmodule.cyclops-ui.com/storefront edited (dry run)\n";
    assert_eq!(dry, outcome(0, expected, ""));
    assert_eq!(place.read(SHOP), before);
    let set = place.run(&arguments);
    assert_eq!(set, outcome(0, &expected.replace(" (dry run)", ""), ""));
    assert_eq!(place.read(SHOP), before.replace("replicas: 2", "replicas: 4"));
    let again = place.run(&arguments);
    assert_eq!(again, outcome(0, "module.cyclops-ui.com/storefront unchanged\n", ""));
}

#[test]
fn set_keeps_texts_and_refuses_locked_values() {
    let place = Place::new();
    let refused = place.run(&["set", "-f", "examples/modules/app.yaml", "--offline", "general.version=2"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(refused.stderr.contains("it is \"1.10\" and must not become \"2\""), "{}", refused.stderr);
    let invalid = place.run(&["set", "-f", "examples/modules/app.yaml", "--offline", "replicas=99"]);
    assert_eq!(invalid.code, 3);
    let told = "\n  spec.values.replicas\n    maximum: got 99, want 50\n";
    assert!(invalid.stderr.contains(told), "{}", invalid.stderr);
}

#[test]
fn a_gitops_repository_is_found_from_any_depth() {
    let place = Place::new();
    let file = "examples/gitops/apps/team-a/shop.yaml";
    let shown = place.run(&["preview", "-f", file, "--offline", "--set", "shop.replicas=3"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.starts_with("Values\n  ~ shop.replicas: 2 -> 3\n"), "{}", shown.stdout);
    // The namespace is the kustomization's.
    let explained = place.run(&["explain", "-f", file, "--offline"]);
    assert!(explained.stdout.starts_with("MODULE:    team-a/shop\n"), "{}", explained.stdout);
}

#[test]
fn what_only_git_may_change_is_judged_for_whom_a_flag_names() {
    let place = Place::new();
    let arguments = ["preview", "-f", SHOP, "--offline", "--set", "cache.version=8.0"];
    let writer = "system:serviceaccount:argocd:argocd-application-controller";
    let hint =
        format!("Hint: this is judged for somebody whom no policy names; for the GitOps writer add --as {writer}\n");
    let nobody = place.run(&arguments);
    assert!(nobody.code == 3 && nobody.stderr.ends_with(&hint), "{}", nobody.stderr);
    let other = place.run(&[&arguments[..], &["--as", "alice"]].concat());
    assert!(other.code == 3 && !other.stderr.contains("Hint"), "{}", other.stderr);
    let git = place.run(&[&arguments[..], &["--as", writer]].concat());
    assert_eq!((git.code, git.stderr.as_str()), (0, ""));
    assert!(git.stdout.starts_with("Values\n  ~ cache.version: \"8.2\" -> \"8.0\"  LOCKED\n"), "{}", git.stdout);
    let set = place.run(&["set", "-f", SHOP, "--offline", "cache.version=8.0", "--as", writer]);
    assert_eq!((set.code, set.stderr.as_str()), (0, ""));
    assert!(place.read(SHOP).contains("version: \"8.0\""));
}

#[test]
fn what_the_template_does_not_describe_is_doubted() {
    let place = Place::new();
    let doubt = "Warning: the template describes no value shop.replicsa; shop has: ";
    for arguments in [
        &["preview", "-f", SHOP, "--offline", "--set", "shop.replicsa=4"][..],
        &["set", "-f", SHOP, "--offline", "shop.replicsa=4"],
    ] {
        let outcome = place.run(arguments);
        assert_eq!(outcome.code, 0);
        assert!(outcome.stderr.starts_with(doubt), "{}", outcome.stderr);
    }
    // Maps for names of the user's own are no reason.
    let free = ["preview", "-f", "examples/modules/app.yaml", "--offline", "--set", "podAnnotations.a=b,config.c=d"];
    assert_eq!(place.run(&free).stderr, "");
}

#[test]
fn standard_input_is_not_changed() {
    let place = Place::new();
    let outcome = place.run(&["set", "-f", "-", "--offline", "replicas=3"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    assert!(outcome.stderr.starts_with("Error: standard input cannot be changed\nHint: "), "{}", outcome.stderr);
}

#[test]
fn colours_are_on_demand_only() {
    let place = Place::new();
    let arguments = ["preview", "-f", SHOP, "--offline", "--set", "shop.replicas=4", "--color", "always"];
    let colored = place.run(&arguments).stdout;
    assert!(colored.contains("\u{1b}[31m-  replicas: 2"), "{colored:?}");
    assert!(!place.run(&arguments[..6]).stdout.contains('\u{1b}'));
}
