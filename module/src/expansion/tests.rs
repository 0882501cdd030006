use renderer::ChartFile;
use renderer::functions::FixedHost;
use serde_json::json;

use super::*;
use crate::policy::{ModulePolicy, Policies};

fn chart(files: &[(&str, &str)]) -> Chart {
    let mut all =
        vec![ChartFile { name: "Chart.yaml".into(), data: b"apiVersion: v2\nname: demo\nversion: 1.0.0\n".to_vec() }];
    all.extend(files.iter().map(|(name, data)| ChartFile { name: (*name).into(), data: data.as_bytes().to_vec() }));
    Chart::load(all).unwrap()
}

fn module(values: &Value) -> Module {
    serde_json::from_value(json!({
        "metadata": {"name": "shop", "namespace": "modules"},
        "spec": {"targetNamespace": "team-a", "template": {"repo": "", "path": "", "version": ""}, "values": values},
    }))
    .unwrap()
}

fn try_expand(files: &[(&str, &str)], module: &Module, policy: &Value) -> Result<Expansion, ExpansionError> {
    let policy = ModulePolicy::new("platform", serde_json::from_value(policy.clone()).unwrap());
    let policy = Policies::new([policy]).effective("modules");
    let options = ExpansionOptions {
        policy: Some(&policy),
        scopes: &WellKnownScopes,
        host: &FixedHost::default(),
        kube_version: None,
        api_versions: Arc::default(),
        revision: 1,
        limits: renderer::Limits::default(),
    };
    expand(&chart(files), module, &options)
}

fn resources(files: &[(&str, &str)]) -> Vec<String> {
    let expansion = try_expand(files, &module(&json!({})), &json!({})).unwrap();
    expansion
        .resources
        .iter()
        .map(|resource| format!("{}/{} {:?}", resource.kind, resource.name, resource.namespace.as_deref()))
        .collect()
}

fn problem(files: &[(&str, &str)], policy: &Value) -> String {
    try_expand(files, &module(&json!({})), policy).unwrap_err().to_string()
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  labels:\n    app.kubernetes.io/managed-by: {{ .Release.Service }}\n    keep: me\ndata:\n  namespace: {{ .Release.Namespace }}\n  count: \"{{ .Values.n }}\"\n";

#[test]
fn resources_carry_cyclops_labels_and_the_target_namespace() {
    let expansion =
        try_expand(&[("templates/a.yaml", CONFIG_MAP)], &module(&json!({"n": 1_000_000})), &json!({})).unwrap();
    let [resource] = expansion.resources.as_slice() else { panic!("{expansion:?}") };
    assert_eq!(resource.source, "demo/templates/a.yaml");
    assert_eq!(
        resource.object,
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "shop",
                "namespace": "team-a",
                "labels": {"keep": "me", "cyclops.module": "shop", "app.kubernetes.io/managed-by": "cyclops"},
            },
            "data": {"namespace": "team-a", "count": "1e+06"},
        })
    );
}

#[test]
fn names_that_lead_elsewhere_in_a_url_are_refused() {
    let named = |metadata: &str| {
        let template = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n");
        try_expand(
            &[("templates/a.yaml", &template)],
            &module(&json!({})),
            &json!({"expansion": {"namespaces": ["*"]}}),
        )
    };
    for name in ["a", "a.b-c", "system:basic-user", "user@example.com"] {
        assert!(named(&format!("{{name: '{name}'}}")).is_ok(), "{name}");
    }
    for name in [".", "..", "a/token", "../../secrets/a", "a?x=1", "a#b", "a%2Fb", "a b", "a\\b", "ä"] {
        let error = named(&format!("{{name: '{name}'}}")).unwrap_err().to_string();
        assert!(error.contains("metadata.name"), "{name}: {error}");
    }
    for namespace in ["a/b", "..", "A", "-a", "a-", "a.b"] {
        let error = named(&format!("{{name: a, namespace: '{namespace}'}}")).unwrap_err().to_string();
        assert!(error.contains("metadata.namespace"), "{namespace}: {error}");
    }
    for target in ["team-a/secrets/x", "..", "Team", " team-a"] {
        let mut module = module(&json!({"n": 1}));
        module.spec.as_mut().unwrap().target_namespace = Some(target.to_owned());
        let error = try_expand(&[("templates/a.yaml", CONFIG_MAP)], &module, &json!({})).unwrap_err();
        assert!(matches!(error, ExpansionError::TargetNamespace { .. }), "{target}: {error}");
    }
}

#[test]
fn without_a_target_namespace_resources_go_to_default() {
    let mut module = module(&json!({"n": 1}));
    module.spec.as_mut().unwrap().target_namespace = Some(String::new());
    let expansion = try_expand(&[("templates/a.yaml", CONFIG_MAP)], &module, &json!({})).unwrap();
    assert_eq!(expansion.resources[0].namespace.as_deref(), Some("default"));
}

#[test]
fn lists_are_taken_apart_and_empty_documents_left_out() {
    let list = "# nothing\n---\n\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Secret, metadata: {name: b}}\n---\n{}\n";
    assert_eq!(resources(&[("templates/a.yaml", list)]), ["ConfigMap/a Some(\"team-a\")", "Secret/b Some(\"team-a\")"]);
}

#[test]
fn hooks_are_applied_or_left_out_by_what_they_are_for() {
    let hook = |name: &str, events: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {events}\n"
        )
    };
    let files = [
        ("templates/a.yaml", hook("before", "pre-install,pre-upgrade")),
        ("templates/b.yaml", hook("after", "post-install")),
        ("templates/c.yaml", hook("test", "test")),
        ("templates/d.yaml", hook("gone", "pre-delete")),
        ("templates/e.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: rest\n".to_owned()),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let expansion = try_expand(&files, &module(&json!({})), &json!({})).unwrap();
    let names: Vec<_> = expansion.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["before", "rest", "after"]);
    assert_eq!(expansion.warnings.len(), 3);
    assert!(
        expansion
            .warnings
            .iter()
            .any(|warning| warning.contains("ConfigMap gone of demo/templates/d.yaml is left out"))
    );
}

#[test]
fn modules_are_confined_to_namespaced_kinds_in_their_target_namespace() {
    let role =
        [("templates/a.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: all\n")];
    let elsewhere =
        [("templates/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: kube-system\n")];
    assert_eq!(
        problem(&role, &json!({})),
        "demo/templates/a.yaml (ClusterRole all): a Module may not create the cluster-scoped kind ClusterRole; a \
         ModulePolicy can allow it in spec.expansion.clusterScoped"
    );
    assert!(
        problem(&elsewhere, &json!({})).contains("in the namespace kube-system, only in its target namespace team-a")
    );
    let allowed = |files: &[(&str, &str)], policy: Value| try_expand(files, &module(&json!({})), &policy).is_ok();
    let cluster_role = json!([{"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"}]);
    assert!(allowed(&role, json!({"expansion": {"clusterScoped": cluster_role}})));
    assert!(!allowed(&role, json!({"expansion": {"clusterScoped": [{"group": "", "kind": "*"}]}})));
    assert!(allowed(&elsewhere, json!({"expansion": {"namespaces": ["kube-*"]}})));
    assert!(!allowed(&elsewhere, json!({"expansion": {"namespaces": ["kube-*"], "deny": [{"kind": "Secret"}]}})));
    assert!(!allowed(&elsewhere, json!({"expansion": {"namespaces": ["kube-*"], "allow": [{"kind": "ConfigMap"}]}})));
}

#[test]
fn definitions_of_the_chart_say_where_its_own_kinds_live() {
    struct Nothing;
    impl Scopes for Nothing {
        fn scope(&self, api_version: &str, kind: &str) -> Option<Scope> {
            (api_version != "example.com/v1").then(|| WellKnownScopes.scope(api_version, kind)).flatten()
        }
    }
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\nspec: {group: example.com, scope: Namespaced, names: {kind: Thing}}\n";
    let thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: t\n";
    let expand_here = |files: &[(&str, &str)]| {
        let options = ExpansionOptions {
            policy: None,
            scopes: &Nothing,
            host: &FixedHost::default(),
            kube_version: None,
            api_versions: Arc::default(),
            revision: 1,
            limits: renderer::Limits::default(),
        };
        expand(&chart(files), &module(&json!({})), &options)
    };
    let expansion = expand_here(&[("crds/a.yaml", definition), ("templates/t.yaml", thing)]).unwrap();
    assert_eq!(expansion.resources[0].namespace, None);
    assert_eq!(expansion.resources[1].namespace.as_deref(), Some("team-a"));
    let error = expand_here(&[("templates/t.yaml", thing)]).unwrap_err().to_string();
    assert_eq!(
        error,
        "demo/templates/t.yaml (Thing t): the cluster does not know the kind Thing of example.com/v1; is its definition \
         installed?"
    );
}

#[test]
fn what_is_no_object_is_named_with_its_file() {
    let template = |text: &'static str| [("templates/a.yaml", text)];
    assert_eq!(
        problem(&template("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {}\n"), &json!({})),
        "demo/templates/a.yaml (ConfigMap) is not a Kubernetes object: it has no metadata.name"
    );
    assert!(problem(&template("kind: ConfigMap\nmetadata:\n  name: a\n"), &json!({})).contains("it has no apiVersion"));
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: team-a\n";
    assert_eq!(
        problem(&template(twice), &json!({})),
        "demo/templates/a.yaml (ConfigMap a) and demo/templates/a.yaml (ConfigMap a) are the same object"
    );
    let object = |index| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{index}\n");
    let list = (0..=MAX_RESOURCES).map(object).collect::<Vec<_>>().join("---\n");
    let error = try_expand(&[("templates/a.yaml", &list)], &module(&json!({})), &json!({})).unwrap_err();
    assert!(matches!(error, ExpansionError::TooMany { .. }));
    let error = try_expand(&[], &module(&json!("text")), &json!({})).unwrap_err();
    assert!(matches!(error, ExpansionError::Values(_)), "{error}");
    let mut without_spec = module(&json!({}));
    without_spec.spec = None;
    assert!(matches!(try_expand(&[], &without_spec, &json!({})), Err(ExpansionError::MissingSpec)));
}
