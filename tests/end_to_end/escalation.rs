//! Writing Modules is no way to do what one may not.
//!
//! In the namespace `requesters` nothing but the question at admission stands between a chart and the cluster: the
//! service account that applies is a cluster administrator, and the policy confines nothing. In `team-a` the policy is
//! the usual one: confined, and judged by the rights of the service account that applies.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use tests::cluster::templates::commit_all;
use tests::cluster::{NAME, NAMESPACE};
use tests::command::{self, Outcome};

use crate::environment::Environment;

const REQUESTERS: &str = "requesters";
const VAULT: &str = "vault";
const TEAM: &str = "team-a";
/// The name of whatever must not come into being.
const ESCALATED: &str = "escalated";

/// Who writes.
#[derive(Clone, Copy)]
enum Who {
    /// Holds rights on Modules only.
    Developer,
    /// A service account of the namespace `requesters`.
    Account(&'static str),
}

/// A Module that must be refused.
struct Case {
    what: &'static str,
    who: Who,
    namespace: &'static str,
    files: Vec<(&'static str, String)>,
    change: fn(&mut Value),
    /// What standard error must contain.
    says: &'static [&'static str],
}

fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } });
    merge(&mut object, rest);
    object
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn rbac(kind: &str, name: &str, rest: Value) -> Value {
    object("rbac.authorization.k8s.io/v1", kind, name, rest)
}

fn binding(kind: &str, role_kind: &str, role: &str) -> Value {
    rbac(
        kind,
        ESCALATED,
        json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers" }],
        }),
    )
}

fn everything() -> Value {
    json!({ "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }] })
}

fn secret() -> Value {
    object("v1", "Secret", ESCALATED, json!({ "stringData": { "key": "word" } }))
}

fn token_secret(namespace: &str) -> Value {
    object(
        "v1",
        "Secret",
        ESCALATED,
        json!({
            "metadata": { "namespace": namespace, "annotations": {
                "kubernetes.io/service-account.name": "module-deployer",
            } },
            "type": "kubernetes.io/service-account-token",
        }),
    )
}

fn pod() -> Value {
    let container = json!({ "name": "main", "image": "registry.example.com/app" });
    json!({ "containers": [container], "restartPolicy": "Never" })
}

fn workload(api_version: &str, kind: &str) -> Value {
    object(
        api_version,
        kind,
        ESCALATED,
        json!({ "spec": {
        "selector": { "matchLabels": { "app": ESCALATED } },
        "template": { "metadata": { "labels": { "app": ESCALATED } }, "spec": {
            "containers": [{ "name": "main", "image": "registry.example.com/app" }],
            "volumes": [{ "name": "host", "hostPath": { "path": "/" } }],
        } },
    } }),
    )
}

fn definition() -> Value {
    object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "escalateds.example.com",
        json!({ "spec": {
        "group": "example.com",
        "names": { "kind": "Escalated", "plural": "escalateds" },
        "scope": "Namespaced",
        "versions": [{
            "name": "v1", "served": true, "storage": true,
            "schema": { "openAPIV3Schema": { "type": "object" } },
        }],
    } }),
    )
}

fn hook(kind: &str) -> Value {
    object(
        "admissionregistration.k8s.io/v1",
        kind,
        ESCALATED,
        json!({ "webhooks": [{
        "name": "modules.example.com",
        "clientConfig": { "url": "https://example.com" },
        "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE"] }],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }] }),
    )
}

fn config(namespace: &str) -> Value {
    object("v1", "ConfigMap", ESCALATED, json!({ "metadata": { "namespace": namespace }, "data": { "key": "word" } }))
}

fn template(object: &Value) -> Vec<(&'static str, String)> {
    vec![("templates/object.yaml", object.to_string())]
}

fn text(template: &str) -> Vec<(&'static str, String)> {
    vec![("templates/object.yaml", template.to_owned())]
}

fn same(_: &mut Value) {}

/// A developer with no right but on Modules, where the service account could do anything.
fn of_developers() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |what, says, files| {
        cases.push(Case { what, who: Who::Developer, namespace: REQUESTERS, files, change: same, says });
    };
    let cluster_admin = binding("ClusterRoleBinding", "ClusterRole", "cluster-admin");
    case(
        "ClusterRoleBinding",
        &["create clusterrolebindings.rbac.authorization.k8s.io", "bind clusterroles", "cluster-admin"],
        template(&cluster_admin),
    );
    case("ClusterRole", &["create clusterroles"], template(&rbac("ClusterRole", ESCALATED, everything())));
    case(
        "RoleBinding",
        &["create rolebindings", "bind clusterroles.rbac.authorization.k8s.io admin in requesters"],
        template(&binding("RoleBinding", "ClusterRole", "admin")),
    );
    case(
        "Role",
        &["create roles", "escalate roles.rbac.authorization.k8s.io escalated in requesters"],
        template(&rbac("Role", ESCALATED, everything())),
    );
    case("Secret", &["create secrets in requesters"], template(&secret()));
    case(
        "Secret with a service account's token",
        &["create serviceaccounts/token module-deployer in requesters"],
        template(&token_secret(REQUESTERS)),
    );
    case("object in another namespace", &["create configmaps in vault"], template(&config(VAULT)));
    case("Secret in kube-system", &["create secrets in kube-system"], template(&token_secret("kube-system")));
    case("Pod", &["create pods in requesters"], template(&object("v1", "Pod", ESCALATED, json!({ "spec": pod() }))));
    case("Deployment", &["create deployments.apps"], template(&workload("apps/v1", "Deployment")));
    case("DaemonSet on the host's files", &["create daemonsets.apps"], template(&workload("apps/v1", "DaemonSet")));
    let job = json!({ "spec": { "template": { "spec": pod() } } });
    case("Job", &["create jobs.batch"], template(&object("batch/v1", "Job", ESCALATED, job)));
    case(
        "ServiceAccount",
        &["create serviceaccounts"],
        template(&object("v1", "ServiceAccount", ESCALATED, json!({}))),
    );
    case("Namespace", &["create namespaces"], template(&object("v1", "Namespace", ESCALATED, json!({}))));
    case("CustomResourceDefinition", &["create customresourcedefinitions"], template(&definition()));
    case(
        "CustomResourceDefinition below crds/",
        &["create customresourcedefinitions"],
        vec![("crds/definition.yaml", definition().to_string())],
    );
    case(
        "Role below crds/",
        &["create roles"],
        vec![("crds/role.yaml", rbac("Role", ESCALATED, everything()).to_string())],
    );
    case(
        "definition and an object of it",
        &["Escalated"],
        vec![
            ("crds/definition.yaml", definition().to_string()),
            ("templates/object.yaml", object("example.com/v1", "Escalated", ESCALATED, json!({})).to_string()),
        ],
    );
    for (what, kind, says) in [
        ("validating webhook", "ValidatingWebhookConfiguration", &["create validatingwebhookconfigurations"] as &[_]),
        ("mutating webhook", "MutatingWebhookConfiguration", &["create mutatingwebhookconfigurations"]),
    ] {
        case(what, says, template(&hook(kind)));
    }
    case(
        "patch of our own webhook's configuration",
        &["patch validatingwebhookconfigurations"],
        template(&object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", NAME, json!({}))),
    );
    case(
        "ValidatingAdmissionPolicy",
        &["create validatingadmissionpolicies"],
        template(&object("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", ESCALATED, json!({}))),
    );
    let service =
        json!({ "spec": { "group": "example.com", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1 } });
    case(
        "APIService",
        &["create apiservices"],
        template(&object("apiregistration.k8s.io/v1", "APIService", "v1.example.com", service)),
    );
    let volume = json!({ "spec": {
        "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"], "hostPath": { "path": "/" },
    } });
    case(
        "PersistentVolume on a node",
        &["create persistentvolumes"],
        template(&object("v1", "PersistentVolume", ESCALATED, volume)),
    );
    case(
        "PriorityClass",
        &["create priorityclasses"],
        template(&object("scheduling.k8s.io/v1", "PriorityClass", ESCALATED, json!({ "value": 1000 }))),
    );
    let request = json!({ "spec": {
        "request": "", "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"],
    } });
    case(
        "CertificateSigningRequest",
        &["create certificatesigningrequests"],
        template(&object("certificates.k8s.io/v1", "CertificateSigningRequest", ESCALATED, request)),
    );
    let policy = json!({ "spec": { "gitOpsWriters": [{ "group": "developers" }], "escalation": "Off" } });
    case(
        "ModulePolicy",
        &["create modulepolicies"],
        template(&object("policy.cyclops-ui.com/v1alpha1", "ModulePolicy", ESCALATED, policy)),
    );
    let rule = json!({ "spec": {
        "repo": "https://git.example.com", "username": { "key": "a" }, "password": { "key": "b" },
    } });
    case(
        "TemplateAuthRule",
        &["create templateauthrules"],
        template(&object("cyclops-ui.com/v1alpha1", "TemplateAuthRule", ESCALATED, rule)),
    );
    // Whoever may write the outer one may write the inner one; but the inner one's writer would be the service account.
    let inner = json!({ "spec": {
        "targetNamespace": REQUESTERS, "template": { "repo": "https://git.example.com", "path": "a", "version": "" },
        "values": {},
    } });
    case(
        "Module in a Module",
        &["impersonate serviceaccounts module-deployer in requesters"],
        template(&object("cyclops-ui.com/v1alpha1", "Module", ESCALATED, inner)),
    );
    let before = json!({ "metadata": { "annotations": { "helm.sh/hook": "pre-install" } }, "spec": pod() });
    case("Pod as a hook", &["create pods"], template(&object("v1", "Pod", ESCALATED, before)));
    case(
        "Secret in a List",
        &["create secrets"],
        template(&json!({ "apiVersion": "v1", "kind": "List", "items": [secret()] })),
    );
    case(
        "Secret in a SecretList",
        &["SecretList"],
        template(
            &json!({ "apiVersion": "v1", "kind": "SecretList", "metadata": { "name": ESCALATED }, "items": [secret()] }),
        ),
    );
    case(
        "Secret in a sub-chart",
        &["create secrets"],
        vec![
            ("charts/inner/Chart.yaml", "apiVersion: v2\nname: inner\nversion: 1.0.0\n".to_owned()),
            ("charts/inner/templates/object.yaml", secret().to_string()),
        ],
    );
    case(
        "Secret in the second document",
        &["create secrets"],
        text(&format!("# nothing here\n---\n# {{}}\n---\n{}\n", secret())),
    );
    case(
        "Secret behind a ConfigMap's name",
        &["create secrets"],
        text("apiVersion: v1\nkind: ConfigMap\nkind: Secret\nmetadata: {name: escalated}\n"),
    );
    case("Secret that a value spells out", &["create secrets"], text("{{ tpl (b64dec .Values.object) . }}"));
    case(
        "name that leads to a token",
        &["metadata.name"],
        template(&object("v1", "ServiceAccount", "module-deployer/token", json!({}))),
    );
    case(
        "name that leads to another namespace",
        &["metadata.name"],
        template(&object("v1", "ConfigMap", "../../vault/secrets/escalated", json!({}))),
    );
    if let Some(case) = cases.iter_mut().find(|case| case.what == "Secret that a value spells out") {
        case.change = |module| {
            // {"apiVersion":"v1","kind":"Secret","metadata":{"name":"escalated"}}
            module["spec"]["values"]["object"] =
                json!("eyJhcGlWZXJzaW9uIjoidjEiLCJraW5kIjoiU2VjcmV0IiwibWV0YWRhdGEiOnsibmFtZSI6ImVzY2FsYXRlZCJ9fQ==");
        };
    }
    let config = object("v1", "ConfigMap", ESCALATED, json!({}));
    let mut hop = |what, says, change| {
        cases.push(Case { what, who: Who::Developer, namespace: REQUESTERS, files: template(&config), change, says });
    };
    hop("target namespace of somebody else", &["create configmaps in vault"], |module| {
        module["spec"]["targetNamespace"] = json!(VAULT);
    });
    hop("target namespace of the product", &["create configmaps in module-system"], |module| {
        module["spec"]["targetNamespace"] = json!(NAMESPACE);
    });
    hop("no target namespace, which is `default`", &["create configmaps in default"], |module| {
        module["spec"].as_object_mut().unwrap().remove("targetNamespace");
    });
    hop("target namespace that leads elsewhere", &["spec.targetNamespace"], |module| {
        module["spec"]["targetNamespace"] = json!("requesters/secrets/x");
    });
    cases
}

/// Somebody who may do much, but not everything.
fn of_accounts() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |what, account, says, object: &Value| {
        let who = Who::Account(account);
        cases.push(Case { what, who, namespace: REQUESTERS, files: template(object), change: same, says });
    };
    let admin = "namespace-admin";
    case(
        "Role with more than the namespace's administrator holds",
        admin,
        &["escalate roles.rbac.authorization.k8s.io escalated in requesters", "nor holds every right"],
        &rbac("Role", ESCALATED, everything()),
    );
    case(
        "Role with the right to bind",
        admin,
        &["escalate roles"],
        &rbac(
            "Role",
            ESCALATED,
            json!({ "rules": [{
            "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"],
        }] }),
        ),
    );
    case(
        "RoleBinding to cluster-admin by the namespace's administrator",
        admin,
        &["bind clusterroles.rbac.authorization.k8s.io cluster-admin in requesters"],
        &binding("RoleBinding", "ClusterRole", "cluster-admin"),
    );
    case(
        "RoleBinding to a role that exists, with a weaker one of its name",
        admin,
        &["bind roles.rbac.authorization.k8s.io strong in requesters"],
        &json!({ "apiVersion": "v1", "kind": "List", "items": [
            rbac("Role", "strong", json!({ "rules": [] })),
            binding("RoleBinding", "Role", "strong"),
        ] }),
    );
    case(
        "ClusterRole by the namespace's administrator",
        admin,
        &["create clusterroles"],
        &rbac("ClusterRole", ESCALATED, json!({ "rules": [] })),
    );
    case("neighbour's namespace", admin, &["create configmaps in vault"], &config(VAULT));
    case(
        "ResourceQuota",
        admin,
        &["create resourcequotas"],
        &object("v1", "ResourceQuota", ESCALATED, json!({ "spec": { "hard": { "pods": "1k" } } })),
    );
    let keeper = "secret-keeper";
    case(
        "token Secret by somebody who may write Secrets",
        keeper,
        &["create serviceaccounts/token module-deployer in requesters"],
        &token_secret(REQUESTERS),
    );
    case("ConfigMap by somebody who may write Secrets", keeper, &["create configmaps"], &config(REQUESTERS));
    cases
}

/// The usual policy: confined, and judged by the rights of the service account that applies.
fn of_team() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |what, says, files, change| {
        cases.push(Case { what, who: Who::Developer, namespace: TEAM, files, change, says });
    };
    let cluster_admin = binding("ClusterRoleBinding", "ClusterRole", "cluster-admin");
    case(
        "ClusterRoleBinding in a team",
        &["cluster-scoped kind ClusterRoleBinding"],
        template(&cluster_admin),
        same as fn(&mut Value),
    );
    case(
        "definition below crds/ in a team",
        &["cluster-scoped kind CustomResourceDefinition"],
        vec![("crds/definition.yaml", definition().to_string())],
        same,
    );
    case(
        "validating webhook in a team",
        &["cluster-scoped kind ValidatingWebhookConfiguration"],
        template(&hook("ValidatingWebhookConfiguration")),
        same,
    );
    case("another namespace in a team", &["kube-system"], template(&config("kube-system")), same);
    case(
        "Role in a team",
        &["module-deployer", "create roles.rbac.authorization.k8s.io in team-a"],
        template(&rbac("Role", ESCALATED, everything())),
        same,
    );
    case(
        "token Secret in a team",
        &["module-deployer", "create serviceaccounts/token module-deployer in team-a"],
        template(&token_secret(TEAM)),
        same,
    );
    case(
        "neighbour's target namespace",
        &["system:serviceaccount:team-a:module-deployer", "create configmaps in team-b"],
        template(&object("v1", "ConfigMap", ESCALATED, json!({}))),
        |module| module["spec"]["targetNamespace"] = json!("team-b"),
    );
    cases
}

#[test]
fn nobody_gets_by_a_module_what_they_may_not_do() {
    let environment = Environment::start("escalation");
    prepare(&environment);
    let cases: Vec<_> = of_developers().into_iter().chain(of_accounts()).chain(of_team()).collect();
    assert!(cases.len() >= 40);
    let mut charts: Vec<_> = cases.iter().enumerate().map(|(row, case)| (format!("row-{row}"), &case.files)).collect();
    let lookup = text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: looked-up}\n\
         data: {found: {{ lookup \"v1\" \"Secret\" \"vault\" \"treasure\" | toJson | quote }}}\n",
    );
    charts.push(("lookup".to_owned(), &lookup));
    let switch = text(
        "{{ if .Values.config }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: switched}\n\
         data: {word: {{ .Values.word | default \"none\" }}}\n{{ end }}\n---\n\
         {{ if .Values.secret }}\napiVersion: v1\nkind: Secret\nmetadata: {name: escalated}\n{{ end }}\n",
    );
    charts.push(("switch".to_owned(), &switch));
    let held = template(&json!({ "apiVersion": "v1", "kind": "List", "items": [
        rbac("Role", "held", json!({ "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }] })),
        object("v1", "Secret", "held", json!({ "stringData": { "key": "word" } })),
    ] }));
    charts.push(("held".to_owned(), &held));
    // When rights are asked for, the clock stands still.
    let clock = text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: clock}\ndata: {word: {{ randAlphaNum 8 | quote }}}\n---\n\
         {{ if gt (now | unixEpoch | int64) 1000 }}\napiVersion: v1\nkind: Secret\nmetadata: {name: escalated}\n{{ end }}\n",
    );
    charts.push(("clock".to_owned(), &clock));
    let random =
        text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: random}\ndata: {word: {{ randAlphaNum 8 | quote }}}\n");
    charts.push(("random".to_owned(), &random));
    publish(&environment, &charts);

    let mut failures = String::new();
    for (row, case) in cases.iter().enumerate() {
        let name = format!("row-{row}");
        let mut module = module(&environment, case.namespace, &name, &name);
        (case.change)(&mut module);
        let outcome = write(&environment, case.who, &["create", "-f", "-"], &module);
        if outcome.succeeded() {
            writeln!(failures, "{}: went through", case.what).unwrap();
        }
        for text in case.says {
            if !outcome.stderr.contains(text) {
                writeln!(failures, "{}: does not say `{text}`: {}", case.what, outcome.stderr).unwrap();
            }
        }
        if environment.module(case.namespace, &name).is_some() {
            writeln!(failures, "{}: is stored", case.what).unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");

    changes_take_rights_too(&environment);
    lookups_find_nothing(&environment);
    what_is_held_is_allowed(&environment);
    what_no_right_was_asked_for_is_not_applied(&environment);
    nothing_came_into_being(&environment);
    the_webhook_holds_no_wildcard(&environment);
}

/// Updates are judged by what they add, change and remove.
fn changes_take_rights_too(environment: &Environment) {
    let writer = Who::Account("config-writer");
    let mut stored = module(environment, REQUESTERS, "switch", "switch");
    stored["spec"]["values"]["config"] = json!(true);
    write(environment, writer, &["create", "-f", "-"], &stored).success().unwrap();
    environment.reconciled(REQUESTERS, "switch");
    for (who, change, says) in [
        (writer, json!({ "values": { "secret": true } }), "create secrets in requesters"),
        (writer, json!({ "values": { "config": false } }), "delete configmaps in requesters"),
        (writer, json!({ "targetNamespace": VAULT }), "create configmaps in vault"),
        (Who::Developer, json!({ "values": { "word": "other" } }), "patch configmaps in requesters"),
        (Who::Developer, json!({ "values": { "config": false } }), "delete configmaps in requesters"),
        (Who::Developer, json!({ "template": { "path": "lookup" } }), "create configmaps in requesters"),
    ] {
        let outcome = patch(environment, who, &change);
        assert!(!outcome.succeeded() && outcome.stderr.contains(says), "{change}: {says}: {outcome}");
    }
    // What changes nothing takes nothing; and what one may change, one may.
    patch(environment, Who::Developer, &json!({ "values": { "note": "seen" } })).success().unwrap();
    patch(environment, writer, &json!({ "values": { "word": "other" } })).success().unwrap();
}

fn lookups_find_nothing(environment: &Environment) {
    let stored = module(environment, REQUESTERS, "lookup", "lookup");
    write(environment, Who::Account("config-writer"), &["create", "-f", "-"], &stored).success().unwrap();
    environment.reconciled(REQUESTERS, "lookup");
    let found = environment.object(REQUESTERS, "configmap", "looked-up").unwrap();
    assert_eq!(found["data"], json!({ "found": "{}" }));
}

fn what_is_held_is_allowed(environment: &Environment) {
    let stored = module(environment, REQUESTERS, "held", "held");
    let outcome = write(environment, Who::Account("config-writer"), &["create", "-f", "-"], &stored);
    assert!(!outcome.succeeded(), "{outcome}");
    write(environment, Who::Account("namespace-admin"), &["create", "-f", "-"], &stored).success().unwrap();
    environment.reconciled(REQUESTERS, "held");
    assert!(environment.object(REQUESTERS, "role", "held").is_some());
}

/// A template may have one content at admission and another when it is applied, but not other resources.
fn what_no_right_was_asked_for_is_not_applied(environment: &Environment) {
    let writer = Who::Account("config-writer");
    for chart in ["clock", "random"] {
        let stored = module(environment, REQUESTERS, chart, chart);
        write(environment, writer, &["create", "-f", "-"], &stored).success().unwrap();
    }
    environment.reconciled(REQUESTERS, "random");
    assert!(environment.object(REQUESTERS, "configmap", "random").is_some());
    environment.eventually("the controller says why it applies nothing", || {
        let module = environment.module(REQUESTERS, "clock")?;
        let reason = module["status"]["reconciliationStatus"]["reason"].as_str()?.to_owned();
        reason.contains("nobody was asked for the right to that").then_some(())
    });
    assert!(environment.object(REQUESTERS, "configmap", "clock").is_none());
}

fn nothing_came_into_being(environment: &Environment) {
    let kinds = environment.admin(&["api-resources", "--verbs=list", "-o", "name"]);
    let kinds: Vec<_> = kinds.lines().filter(|kind| !kind.starts_with("events")).collect();
    let objects = environment.admin(&["get", &kinds.join(","), "--all-namespaces", "-o", "name"]);
    assert!(objects.contains("secret/treasure"), "{objects}");
    let escalated: Vec<_> = objects.lines().filter(|name| name.contains(ESCALATED)).collect();
    assert!(escalated.is_empty(), "{escalated:?}");
    assert!(!objects.contains("v1.example.com"), "{objects}");
}

fn the_webhook_holds_no_wildcard(environment: &Environment) {
    let account = format!("--as=system:serviceaccount:{NAMESPACE}:{NAME}");
    for namespace in [NAMESPACE, "kube-system", TEAM] {
        let rights = environment.admin(&["auth", "can-i", "--list", &account, "-n", namespace, "--no-headers"]);
        assert!(rights.contains("subjectaccessreviews.authorization.k8s.io"), "{rights}");
        for line in rights.lines() {
            let resource = line.split_whitespace().next().unwrap_or_default();
            // Everybody who is authenticated may read what there is to discover: `[/api/*]`.
            assert!(!resource.contains('*') || resource.starts_with("[/"), "{namespace}: {line}");
            assert!(!line.contains("[*]"), "{namespace}: {line}");
        }
        for resource in ["secrets", "pods", "configmaps", "roles", "clusterrolebindings"] {
            let may = environment.kubectl("admin", &["auth", "can-i", "get", resource, &account, "-n", namespace]);
            assert!(!may.succeeded(), "{namespace}: get {resource}: {may}");
        }
    }
}

/// Namespaces, identities and the policy that confines nothing.
fn prepare(environment: &Environment) {
    let account = |name: &str| object("v1", "ServiceAccount", name, json!({ "metadata": { "namespace": REQUESTERS } }));
    let role = |name: &str, group: &str, resource: &str, verbs: &[&str]| {
        rbac(
            "Role",
            name,
            json!({
                "metadata": { "namespace": REQUESTERS },
                "rules": [{ "apiGroups": [group], "resources": [resource], "verbs": verbs }],
            }),
        )
    };
    let bind = |name: &str, kind: &str, role: &str, accounts: &[&str]| {
        let mut subjects: Vec<_> = accounts
            .iter()
            .map(|account| json!({ "kind": "ServiceAccount", "name": account, "namespace": REQUESTERS }))
            .collect();
        if name == "module-writer" {
            subjects.push(json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers" }));
        }
        rbac(
            "RoleBinding",
            name,
            json!({
                "metadata": { "namespace": REQUESTERS },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role },
                "subjects": subjects,
            }),
        )
    };
    let people = ["namespace-admin", "secret-keeper", "config-writer"];
    let objects = [
        object("v1", "Namespace", REQUESTERS, json!({})),
        object("v1", "Namespace", VAULT, json!({})),
        object(
            "v1",
            "Secret",
            "treasure",
            json!({ "metadata": { "namespace": VAULT }, "stringData": { "key": "gold" } }),
        ),
        account("module-deployer"),
        rbac(
            "ClusterRoleBinding",
            "everything-for-the-deployer",
            json!({
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
                "subjects": [{ "kind": "ServiceAccount", "name": "module-deployer", "namespace": REQUESTERS }],
            }),
        ),
        account("namespace-admin"),
        account("secret-keeper"),
        account("config-writer"),
        role("module-writer", "cyclops-ui.com", "modules", &["get", "create", "patch"]),
        role("secret-keeper", "", "secrets", &["get", "create", "patch", "delete"]),
        role("config-writer", "", "configmaps", &["create", "patch"]),
        rbac(
            "Role",
            "strong",
            json!({
                "metadata": { "namespace": REQUESTERS },
                "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }],
            }),
        ),
        bind("module-writer", "Role", "module-writer", &people),
        bind("namespace-admin", "ClusterRole", "admin", &["namespace-admin"]),
        bind("secret-keeper", "Role", "secret-keeper", &["secret-keeper"]),
        bind("config-writer", "Role", "config-writer", &["config-writer"]),
        object(
            "policy.cyclops-ui.com/v1alpha1",
            "ModulePolicy",
            REQUESTERS,
            json!({ "spec": {
            "match": { "namespaces": [REQUESTERS] },
            "template": { "sources": [{ "repo": environment.repository("faulty") }], "changes": "Any" },
            "escalation": "Requester",
            "serviceAccountName": "module-deployer",
            "expansion": { "clusterScoped": [{ "group": "*", "kind": "*" }], "namespaces": ["*"] },
        } }),
        ),
    ];
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    environment.kubectl_with("admin", &["apply", "--server-side", "-f", "-"], &list).success().unwrap();
    // The webhook learns of the policy by a watch: without it, the source is refused.
    environment.eventually("the policy counts", || {
        let probe = module(environment, REQUESTERS, "probe", "fails-on-purpose");
        let outcome = environment.kubectl_with("admin", &["create", "--dry-run=server", "-f", "-"], &probe);
        outcome.stderr.contains("owner must be set").then_some(())
    });
}

/// Commits charts, each in a folder of its name.
fn publish(environment: &Environment, charts: &[(String, &Vec<(&'static str, String)>)]) {
    let repository = environment.cluster.layout().path("git/faulty");
    let put = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for (name, files) in charts {
        let folder = repository.join(name);
        put(&folder.join("Chart.yaml"), &format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n"));
        for (path, text) in *files {
            put(&folder.join(path), text);
        }
    }
    commit_all(&repository, "Publish charts that reach for more").unwrap();
}

fn module(environment: &Environment, namespace: &str, name: &str, chart: &str) -> Value {
    let mut module = environment.cluster.module(namespace, name, chart, &json!({}));
    module["spec"]["template"]["repo"] = json!(environment.repository("faulty"));
    module
}

fn patch(environment: &Environment, who: Who, spec: &Value) -> Outcome {
    let change = json!({ "spec": spec }).to_string();
    let arguments = ["patch", "modules.cyclops-ui.com", "switch", "-n", REQUESTERS, "--type=merge", "-p", &change];
    write(environment, who, &arguments, &Value::Null)
}

fn write(environment: &Environment, who: Who, arguments: &[&str], object: &Value) -> Outcome {
    let Who::Account(name) = who else { return environment.kubectl_with("developer", arguments, object) };
    let mut kubectl = environment.cluster.kubectl("gitops");
    // Instead of the token of that context.
    kubectl.arg("--token").arg(environment.cluster.token(REQUESTERS, name).unwrap()).args(arguments);
    command::run_with_input(&mut kubectl, &object.to_string()).unwrap()
}
