//! `render`: what is printed where. That the documents are Helm's is tested against Helm itself elsewhere.

use crate::run::Place;

#[test]
fn flags_select_documents() {
    let place = Place::new();
    let chart = ["render", "--chart", "examples/templates/storefront", "--release", "shop", "-n", "team-a"];
    let run = |more: &[&str]| {
        let outcome = place.run(&[&chart[..], more].concat());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{more:?}");
        outcome.stdout
    };
    let sources = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix("# Source: ")).map(str::to_owned).collect()
    };
    let all = run(&[]);
    assert!(all.starts_with("---\n# Source: storefront/charts/shop/templates/configmap.yaml\n"));
    assert_eq!(sources(&all).len(), 8);
    assert!(sources(&all).ends_with(&["storefront/templates/tests/connection.yaml".to_owned()]));
    assert_eq!(sources(&run(&["--skip-tests"])).len(), 7);
    assert_eq!(sources(&run(&["--no-hooks", "--set", "cache.enabled=false"])).len(), 5);
    let one = run(&["--show-only", "templates/ingress.yaml", "--set", "domain=x.example.com"]);
    assert_eq!(sources(&one), ["storefront/templates/ingress.yaml"]);
    assert!(one.contains("host: \"x.example.com\""));
}

#[test]
fn capabilities_are_what_flags_say() {
    let place = Place::new();
    let chart = ["render", "--chart", "examples/templates/app", "--release", "a", "--set", "metrics.enabled=true"];
    let plain = place.run(&chart).stdout;
    assert!(plain.contains("trafficDistribution") && !plain.contains("ServiceMonitor"));
    let other = [&chart[..], &["--kube-version", "1.30", "--api-versions", "monitoring.coreos.com/v1"]].concat();
    let other = place.run(&other).stdout;
    assert!(!other.contains("trafficDistribution") && other.contains("kind: ServiceMonitor"));
}

#[test]
fn values_files_and_flags_add_up() {
    let place = Place::new();
    place.write("one.yaml", "replicas: 3\nenv:\n  - {name: A, value: 1}\n");
    place.write("two.yaml", "replicas: 4\n");
    let chart = ["render", "--chart", "examples/templates/app", "--release", "a", "-f", "one.yaml", "-f", "two.yaml"];
    let text = place.run(&[&chart[..], &["--set-string", "general.version=7"]].concat()).stdout;
    assert!(text.contains("\n  replicas: 4\n") && text.contains("value: \"1\"") && text.contains(":7\""), "{text}");
}

#[test]
fn errors_go_to_standard_error_alone() {
    let place = Place::new();
    for (more, expected) in [
        (&["--set", "networking.expose=true"][..], "networking.host is required to expose the application"),
        (&["--set", "replicas=x"], "at '/replicas': got string, want integer"),
        (&["--set", "a"], "key \"a\" has no value"),
        (&["-f", "nowhere.yaml"], "cannot read nowhere.yaml"),
        (&["--show-only", "templates/nothing.yaml"], "could not find template templates/nothing.yaml in chart"),
    ] {
        let outcome = place.run(&[&["render", "--chart", "examples/templates/app", "--release", "a"], more].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""), "{more:?}");
        assert!(outcome.stderr.starts_with("Error: ") && outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
    let missing = place.run(&["render", "--chart", "nowhere"]);
    assert_eq!((missing.code, missing.stderr.as_str()), (1, "Error: the chart nowhere does not exist\n"));
}

#[test]
fn a_modules_file_is_rendered_with_labels_and_namespace() {
    let place = Place::new();
    let outcome = place.run(&["render", "-f", "examples/modules/demo.yaml", "--offline"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert!(outcome.stdout.starts_with("---\n# Source: demo/templates/service.yaml\napiVersion: v1\nkind: Service\n"));
    assert_eq!(outcome.stdout.matches("  namespace: team-a\n").count(), 2);
    assert_eq!(outcome.stdout.matches("    cyclops.module: demo\n").count(), 2);
}
