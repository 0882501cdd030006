//! Input that cannot work: each is refused with a message that names the file or field, nothing is
//! stored, and no process dies.

use std::fmt::Write;

use serde_json::{Value, json};
use tests::cluster::{NAME, NAMESPACE, http_status, server_client};

use crate::environment::{Environment, shared};

const TEAM: &str = "team-a";

/// A Module that must be refused.
struct Case {
    what: &'static str,
    /// What standard error must contain.
    says: &'static [&'static str],
    change: Box<dyn Fn(&mut Value)>,
}

#[test]
fn nothing_broken_is_stored() {
    let environment = shared();
    allow_absent_repository(environment);
    let process = environment.cluster.processes().id(NAME);

    let mut failures = String::new();
    for (number, case) in cases(environment).into_iter().enumerate() {
        let name = format!("bad-{number}");
        let mut module = environment.app(TEAM, &name);
        (case.change)(&mut module);
        let outcome = environment.kubectl_with("developer", &["create", "-f", "-"], &module);
        if outcome.succeeded() {
            writeln!(failures, "{}: was stored", case.what).unwrap();
        }
        for text in case.says {
            if !outcome.stderr.contains(text) {
                writeln!(failures, "{}: does not say `{text}`: {}", case.what, outcome.stderr).unwrap();
            }
        }
        if environment.module(TEAM, &name).is_some() {
            writeln!(failures, "{}: exists", case.what).unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert_eq!(environment.cluster.processes().id(NAME), process, "the webhook was restarted");
    assert_ready(environment);
}

fn cases(environment: &Environment) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |what, says, change: Box<dyn Fn(&mut Value)>| {
        cases.push(Case { what, says, change });
    };
    let template = |field: &'static str, value: &str| -> Box<dyn Fn(&mut Value)> {
        let value = value.to_owned();
        Box::new(move |module| module["spec"]["template"][field] = json!(value))
    };
    let values = |values: Value| -> Box<dyn Fn(&mut Value)> {
        Box::new(move |module| module["spec"]["values"] = values.clone())
    };
    let value = |pointer: &'static str, value: Value| -> Box<dyn Fn(&mut Value)> {
        Box::new(move |module| {
            *module["spec"]["values"].pointer_mut(pointer).unwrap() = value.clone();
        })
    };

    case("unknown repository", &["spec.template", "/absent"], template("repo", &absent(environment)));
    case(
        "repository that the policy does not allow",
        &["spec.template.repo", "https://git.example.com/elsewhere"],
        template("repo", "https://git.example.com/elsewhere"),
    );
    case("repository that is no address", &["spec.template.repo"], template("repo", "nonsense"));
    case("repository on this very machine", &["spec.template.repo"], template("repo", "file:///etc"));
    case("missing path", &["spec.template", "no/such/chart"], template("path", "no/such/chart"));
    case(
        "path that leaves the repository",
        &["spec.template", "../templates/app"],
        template("path", "../templates/app"),
    );
    case("unknown branch", &["spec.template", "no-such-branch"], template("version", "no-such-branch"));
    case(
        "branch that looks like an option",
        &["spec.template", "--upload-pack=x"],
        template("version", "--upload-pack=x"),
    );
    case("values that are a list", &["spec.values"], values(json!(["a"])));
    case("values that are a text", &["spec.values"], values(json!("a")));
    case("values that are null", &["spec.values"], values(Value::Null));
    case(
        "Module without spec",
        &["spec"],
        Box::new(|module| {
            module.as_object_mut().unwrap().remove("spec");
        }),
    );
    case("values of 2 MiB", &["spec.values", "bytes"], value("/env/0/value", json!("x".repeat(2 << 20))));
    case("value of the wrong type", &["spec.values.replicas"], value("/replicas", json!("many")));
    case("value out of range", &["spec.values.replicas"], value("/replicas", json!(51)));
    case(
        "value that the schema does not know",
        &["spec.values.general"],
        value("/general", json!({ "image": "a", "version": "1", "colour": "red" })),
    );
    case(
        "value that the template requires",
        &["networking.host is required", "ingress.yaml"],
        value("/networking", json!({ "expose": true })),
    );

    let repo = environment.repository("faulty").to_owned();
    let mut faulty = |what, chart: &'static str, says: &'static [&'static str]| {
        let repo = repo.clone();
        case(
            what,
            says,
            Box::new(move |module| {
                module["spec"]["template"]["repo"] = json!(repo);
                module["spec"]["template"]["path"] = json!(chart);
                module["spec"]["values"] = json!({});
            }),
        );
    };
    faulty("folder without Chart.yaml", "no-chart-file", &["Chart.yaml", "no-chart-file"]);
    faulty("schema that is no JSON", "broken-schema", &["values.schema.json"]);
    faulty("schema with an unknown type", "wrong-schema", &["values.schema.json"]);
    faulty("mark that is no boolean", "wrong-mark", &["values.schema.json", "immutable"]);
    faulty("template with a syntax error", "syntax-error", &["templates/configmap.yaml:4"]);
    faulty("template that reads a missing value", "missing-value", &["templates/configmap.yaml:6"]);
    faulty(
        "template that fails",
        "fails-on-purpose",
        &["owner must be set to the team's name", "templates/configmap.yaml:2"],
    );
    faulty("template that gives no YAML", "not-yaml", &["templates/configmap.yaml"]);
    faulty("template that gives an object without kind", "no-kind", &["templates/something.yaml", "kind"]);
    faulty("template that calls itself", "endless", &["templates/configmap.yaml"]);
    faulty("object outside any namespace", "cluster-role", &["ClusterRole"]);
    faulty("object in another namespace", "other-namespace", &["kube-system"]);
    faulty("object that the service account may not create", "lease", &["leases", "module-deployer"]);
    cases
}

#[tokio::test]
async fn garbage_is_answered_with_a_client_error() {
    let environment = shared();
    let process = environment.cluster.processes().id(NAME);
    let (client, root) = webhook_client(environment, None);
    let configuration = environment.admin(&["get", "validatingwebhookconfiguration", NAME, "-o", "json"]);
    let configuration: Value = serde_json::from_str(&configuration).unwrap();
    let path = configuration["webhooks"][0]["clientConfig"]["service"]["path"].as_str().unwrap();

    let no_request = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview" });
    let bodies: [(&str, Vec<u8>); 6] = [
        ("no JSON", b"\x00\xffgarbage".to_vec()),
        ("nothing", Vec::new()),
        ("another JSON", b"[1, 2, 3]".to_vec()),
        ("a review without a request", no_request.to_string().into_bytes()),
        ("deep nesting", "[".repeat(100_000).into_bytes()),
        ("64 MiB", vec![b'x'; 64 << 20]),
    ];
    for (what, body) in bodies {
        let request = client.post(format!("{root}{path}")).header("content-type", "application/json");
        // A server may refuse a body before it has read all of it, and close the connection.
        if let Ok(answer) = request.body(body).send().await {
            let status = answer.status();
            let text = answer.text().await.unwrap_or_default();
            assert!(status.is_client_error(), "{what}: {status} {text}");
            assert!(!text.contains("\"allowed\":true"), "{what}: {text}");
        }
    }
    let answer = client.get(format!("{root}/no/such/path")).send().await.unwrap();
    assert!(answer.status().is_client_error());
    assert_eq!(environment.cluster.processes().id(NAME), process, "the webhook was restarted");
    assert_ready(environment);
}

/// A client that reaches the webhook as the API server does: by the service's name, trusting only
/// the certificate authority in the configuration.
pub(crate) fn webhook_client(
    environment: &Environment,
    identity: Option<reqwest::Identity>,
) -> (reqwest::Client, String) {
    let port = environment.cluster.description().ports.webhook;
    let host = format!("{NAME}.{NAMESPACE}.svc");
    let authority = environment.cluster.webhook_authority().unwrap();
    let mut builder = server_client(&host, port, &authority).unwrap();
    if let Some(identity) = identity {
        builder = builder.identity(identity);
    }
    (builder.build().unwrap(), format!("https://{host}:{port}"))
}

fn assert_ready(environment: &Environment) {
    let port = environment.cluster.description().ports.webhook_status;
    assert_eq!(http_status(port, "/readyz"), Some(200));
}

/// A repository that the git server does not have.
fn absent(environment: &Environment) -> String {
    environment.repository("templates").replace("/templates", "/absent")
}

/// Lists the absent repository in the policy, so that its absence is what is found out.
fn allow_absent_repository(environment: &Environment) {
    let operation = json!([{
        "op": "add",
        "path": "/spec/template/sources/-",
        "value": { "repo": absent(environment) },
    }]);
    environment.admin(&["patch", "modulepolicy", "teams", "--type=json", "-p", &operation.to_string()]);
}
