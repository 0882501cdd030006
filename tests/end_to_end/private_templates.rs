//! A template repository that asks for credentials: from the first refusal to the rotation of its password.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use certs::ServingCertificate;
use serde_json::{Value, json};
use tests::checkout;
use tests::cluster::NAME;
use tests::cluster::templates::{commit_all, copy_charts};
use tests::command::Outcome;
use tests::git_server::serve_privately;

use crate::environment::{Environment, shared};

/// The namespace that a policy lets use the repository.
const LISTED: &str = "private-listed";
/// One that no policy speaks of.
const UNLISTED: &str = "private-unlisted";
/// Where the webhook looks for rules, and what the documentation calls them and their Secret.
const RULES: &str = "cyclops";
const RULE: &str = "acme";
const SECRET: &str = "template-credentials";

const FIRST: &str = "first-password-7f3a";
const SECOND: &str = "second-password-91c4";

/// A rotated Secret is read within a minute, and a refusal is remembered for ten seconds.
const ROTATION: Duration = Duration::from_secs(90);

/// Serves `folder` on a port of its own until this process ends, with a certificate of the cluster's authority.
fn serve(environment: &Environment, folder: &Path) -> (String, Arc<RwLock<String>>) {
    let read = |name: &str| std::fs::read_to_string(environment.cluster.layout().path(name)).unwrap();
    let certificate =
        ServingCertificate { certificate_pem: read("credentials/server.crt"), key_pem: read("credentials/server.key") };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let credentials = Arc::new(RwLock::new(format!("robot:{FIRST}")));
    let (folder, wanted) = (folder.to_owned(), Arc::clone(&credentials));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(serve_privately(folder, listener, &certificate, wanted)).unwrap();
    });
    (url, credentials)
}

/// The objects that the documentation tells to create, for another server.
fn documented(url: &str) -> String {
    let text = std::fs::read_to_string(checkout::root().join("docs/operating.md")).unwrap();
    // The block is part of a list.
    let text = text.replace("\n   ", "\n");
    let wanted: Vec<String> = text
        .split("```yaml\n")
        .filter_map(|block| block.split_once("```"))
        .filter(|(block, _)| block.contains("kind: TemplateAuthRule"))
        .map(|(block, _)| block.replace(r"https://github\.com/acme", &url.replace('.', r"\.")))
        .collect();
    assert!(wanted.len() == 1 && wanted[0].contains("127"), "{wanted:?}");
    wanted[0].clone()
}

fn secret(environment: &Environment, password: &str) {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": SECRET, "namespace": RULES },
        "stringData": { "username": "robot", "token": password },
    });
    environment.apply(&secret.to_string());
}

fn policy(url: &str) -> Value {
    json!({
        "apiVersion": "policy.cyclops-ui.com/v1alpha1",
        "kind": "ModulePolicy",
        "metadata": { "name": "private" },
        "spec": {
            "match": { "namespaces": [LISTED] },
            "serviceAccountName": "module-deployer",
            "escalation": "ServiceAccount",
            "template": { "sources": [{ "repo": format!("{url}/*") }] },
        },
    })
}

#[test]
fn a_rule_opens_a_private_repository_and_follows_its_password() {
    let environment = shared();
    let folder = tempfile::tempdir().unwrap();
    let charts = folder.path().join("charts");
    copy_charts(&checkout::root().join("examples/templates"), &charts).unwrap();
    commit_all(&charts, "Publish private charts").unwrap();
    let (url, credentials) = serve(environment, folder.path());

    let team = std::fs::read_to_string(checkout::root().join("tests/manifests/team.yaml")).unwrap();
    for namespace in [LISTED, UNLISTED] {
        environment.apply(&team.replace("TEAM", namespace));
    }
    environment.apply(&policy(&url).to_string());
    environment.kubectl("admin", &["create", "namespace", RULES]).success().unwrap();
    let write = |namespace: &str, name: &str, arguments: &[&str]| -> Outcome {
        let mut module = environment.demo(namespace, name);
        module["spec"]["template"]["repo"] = json!(format!("{url}/charts"));
        environment.kubectl_with("developer", &[&["create", "-f", "-"], arguments].concat(), &module)
    };
    let asked = |namespace: &str| write(namespace, "asked", &["--dry-run=server"]);
    let told = |namespace: &str, text: &str| {
        environment.eventually(text, || {
            let outcome = asked(namespace);
            outcome.stderr.contains(text).then_some(outcome)
        })
    };

    // Without a rule people are told what is missing and who has it.
    let unknown = format!("the server knows no repository {url}/charts, or asks for credentials (HTTP 401); ");
    told(
        LISTED,
        &format!(
            "{unknown}if it is private, ask those who run the cluster: credentials take a TemplateAuthRule in the \
             namespace cyclops"
        ),
    );
    let unlisted = format!(
        "{unknown}if it is private, ask those who run the cluster: credentials take a TemplateAuthRule in the namespace \
         cyclops, and a ModulePolicy that lists the repository in template.sources"
    );
    told(UNLISTED, &unlisted);

    // With what the documentation says, but a right that comes last.
    let objects = documented(&url);
    let (rule, rights) = objects.split_once("---\n").unwrap();
    secret(environment, FIRST);
    environment.apply(rule);
    let log = || std::fs::read_to_string(environment.cluster.processes().log(NAME)).unwrap();
    environment.eventually("the missing right is in the log", || {
        log().contains(&format!("the webhook may not read the Secret {SECRET}")).then_some(())
    });
    environment.apply(rights);
    // Anything that happens to a rule has its Secret read.
    environment.admin(&["label", "templateauthrules", RULE, "-n", RULES, "rights=given"]);
    environment.eventually("the rule opens the repository", || asked(LISTED).succeeded().then_some(()));
    write(LISTED, "private", &[]).success().unwrap();
    environment.reconciled(LISTED, "private");
    // A policy that lists nothing gives nobody what credentials opened.
    told(UNLISTED, &unlisted);

    // The old password is good for nothing any more.
    std::fs::write(charts.join("demo/Chart.yaml"), "apiVersion: v2\nname: demo\nversion: 0.2.0\n").unwrap();
    commit_all(&charts, "Publish another version").unwrap();
    *credentials.write().unwrap() = format!("robot:{SECOND}");
    let rotated = Instant::now();
    told(LISTED, "refuses the repository");
    secret(environment, SECOND);
    while !asked(LISTED).succeeded() {
        assert!(rotated.elapsed() < ROTATION, "{}", asked(LISTED));
        std::thread::sleep(Duration::from_secs(1));
    }
    println!("the new password was used after {:.1} s", rotated.elapsed().as_secs_f64());

    let log = log();
    for password in [FIRST, SECOND] {
        let encoded = BASE64_STANDARD.encode(format!("robot:{password}"));
        assert!(!log.contains(password) && !log.contains(&encoded));
    }
    environment.admin(&["delete", "modules.cyclops-ui.com", "private", "-n", LISTED]);
    environment.admin(&["delete", "modulepolicy", "private"]);
    environment.admin(&["delete", "namespace", RULES, LISTED, UNLISTED, "--wait=false"]);
}
