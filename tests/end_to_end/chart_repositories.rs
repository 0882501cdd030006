//! Templates from a Helm repository and from an OCI registry, packed by the real helm, which also says which version a
//! constraint stands for.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum_server::tls_rustls::RustlsConfig;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::checkout;
use tests::cluster::templates::copy_charts;
use tests::command;

use crate::environment::{Environment, shared};

const NAMESPACE: &str = "chart-repositories";
const DIGEST: &str = "module.cyclops-ui.com/template-digest";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

/// What the server has: media type and content by path.
type Site = Arc<RwLock<BTreeMap<String, (&'static str, Vec<u8>)>>>;

/// A server on a port of its own until this process ends, with a certificate of the cluster's authority.
fn serve(environment: &Environment) -> (String, Site) {
    let site = Site::default();
    let files = Arc::clone(&site);
    let path = |name: &str| environment.cluster.layout().path(name);
    let (certificate, key) = (path("credentials/server.crt"), path("credentials/server.key"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let tls = RustlsConfig::from_pem_file(certificate, key).await.unwrap();
            let answer = move |uri: axum::http::Uri| async move {
                let found = files.read().unwrap().get(uri.path()).cloned();
                match found {
                    Some((media_type, content)) => ([(CONTENT_TYPE, media_type)], content).into_response(),
                    None => StatusCode::NOT_FOUND.into_response(),
                }
            };
            let router = Router::new().fallback(answer).into_make_service();
            axum_server::from_tcp_rustls(listener, tls).unwrap().serve(router).await.unwrap();
        });
    });
    (address, site)
}

/// The real helm, with nothing of this machine's user.
fn helm(folder: &Path, arguments: &[&str]) -> String {
    let mut helm = Command::new(checkout::control_plane().unwrap().join("helm"));
    helm.current_dir(folder).env("HELM_CACHE_HOME", folder).env("HELM_CONFIG_HOME", folder).args(arguments);
    command::run(&mut helm).unwrap().success().unwrap()
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Packs the example chart as a version of itself, and puts it on the server. Returns the digests of its archive and of its
/// manifest.
fn publish(folder: &Path, site: &Site, version: &str, published: &mut Vec<String>) -> (String, String) {
    helm(folder, &["package", "charts/app", "--version", version, "--destination", "packed"]);
    helm(folder, &["repo", "index", "packed"]);
    let read = |name: &str| std::fs::read(folder.join("packed").join(name)).unwrap();
    let file = format!("app-{version}.tgz");
    let archive = read(&file);
    let (layer, config) = (digest(&archive), b"{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": CONFIG, "digest": digest(config), "size": config.len() },
        "layers": [{ "mediaType": LAYER, "digest": layer, "size": archive.len() }],
    });
    let manifest = manifest.to_string().into_bytes();
    let manifest_digest = digest(&manifest);
    published.push(version.replace('+', "_"));
    let tags = json!({ "name": "team/app", "tags": published }).to_string().into_bytes();
    let mut site = site.write().unwrap();
    let mut put = |path: &str, media_type, content| site.insert(path.to_owned(), (media_type, content));
    put("/charts/index.yaml", "text/yaml", read("index.yaml"));
    put(&format!("/charts/{file}"), "application/gzip", archive.clone());
    put("/v2/", "application/json", b"{}".to_vec());
    put("/v2/team/app/tags/list", "application/json", tags);
    for reference in [&version.replace('+', "_"), &manifest_digest] {
        put(&format!("/v2/team/app/manifests/{reference}"), MANIFEST, manifest.clone());
    }
    put(&format!("/v2/team/app/blobs/{layer}"), LAYER, archive);
    put(&format!("/v2/team/app/blobs/{}", digest(config)), CONFIG, config.to_vec());
    (layer, manifest_digest)
}

fn policy(address: &str) -> Value {
    json!({
        "apiVersion": "policy.cyclops-ui.com/v1alpha1",
        "kind": "ModulePolicy",
        "metadata": { "name": NAMESPACE },
        "spec": {
            "match": { "namespaces": [NAMESPACE] },
            "gitOpsWriters": [{ "user": "somebody-else" }],
            "serviceAccountName": "module-deployer",
            "escalation": "ServiceAccount",
            "template": {
                "sources": [{ "repo": format!("https://{address}/charts") }, { "repo": format!("oci://{address}/team") }],
            },
        },
    })
}

#[test]
fn charts_of_helm_repositories_and_registries_are_templates() {
    let environment = shared();
    let folder = tempfile::tempdir().unwrap();
    copy_charts(&checkout::root().join("examples/templates"), &folder.path().join("charts")).unwrap();
    let (address, site) = serve(environment);
    let mut published = Vec::new();
    publish(folder.path(), &site, "1.9.0", &mut published);
    let (archive, manifest) = publish(folder.path(), &site, "1.10.0", &mut published);
    publish(folder.path(), &site, "2.0.0-rc.1", &mut published);
    let authority = environment.cluster.layout().path("credentials/ca.crt");
    let (helm_repository, registry) = (format!("https://{address}/charts"), format!("oci://{address}/team"));
    the_real_helm_picks_the_same(folder.path(), &authority, &helm_repository, &registry);

    let team = std::fs::read_to_string(checkout::root().join("tests/manifests/team.yaml")).unwrap();
    environment.apply(&team.replace("TEAM", NAMESPACE));
    environment.apply(&policy(&address).to_string());
    let module = |name: &str, repo: &str, source_type: Option<&str>, version: &str| {
        let mut module = environment.app(NAMESPACE, name);
        module["spec"]["targetNamespace"] = json!(NAMESPACE);
        module["spec"]["template"] = json!({ "repo": repo, "path": "app", "version": version });
        if let Some(source_type) = source_type {
            module["spec"]["template"]["sourceType"] = json!(source_type);
        }
        module
    };
    environment.eventually("the policy lists the repositories", || {
        let asked = module("asked", &helm_repository, Some("helm"), "");
        let outcome = environment.kubectl_with("developer", &["create", "-f", "-", "--dry-run=server"], &asked);
        outcome.succeeded().then_some(())
    });
    let rows = [
        ("by-range", &helm_repository, Some("helm"), "^1.2", &archive),
        ("by-index", &helm_repository, None, "1.10.0", &archive),
        ("by-tag", &registry, Some("oci"), "", &manifest),
        ("by-scheme", &registry, None, "~1.10", &manifest),
    ];
    for (name, repo, source_type, version, expected) in rows {
        environment.create("developer", &module(name, repo, source_type, version));
        let stored = environment.reconciled(NAMESPACE, name);
        assert_eq!(stored["metadata"]["annotations"][DIGEST], json!(expected), "{name}");
        assert!(environment.object(NAMESPACE, "deployment", name).is_some(), "{name} is applied");
    }

    // What is published later changes nothing until somebody asks for it; the locks are those of the archive.
    publish(folder.path(), &site, "1.11.0", &mut published);
    for (name, _, _, _, expected) in rows {
        let patch = |values: Value| {
            let patch = json!({ "spec": { "values": values } }).to_string();
            environment.kubectl(
                "developer",
                &["patch", "modules.cyclops-ui.com", name, "-n", NAMESPACE, "--type=merge", "-p", &patch],
            )
        };
        patch(json!({ "replicas": 3 })).success().unwrap();
        let outcome = patch(json!({ "networking": { "type": "NodePort" } }));
        assert!(!outcome.succeeded() && outcome.stderr.contains("spec.values.networking.type"), "{outcome}");
        let stored = environment.module(NAMESPACE, name).unwrap();
        assert_eq!(stored["metadata"]["annotations"][DIGEST], json!(expected), "{name}");
    }

    for (repo, source_type, path, version, told) in [
        (&helm_repository, "helm", "none", "", "has no chart \"none\""),
        (&helm_repository, "helm", "app", ">3", "has no version \">3\" of the chart \"app\""),
        (&helm_repository, "helm", "app", "main", "is none that is there, and no constraint such as ^1.2"),
        (&registry, "oci", "app", "9.9.9", "has no version \"9.9.9\" of the chart \"app\""),
        (&registry, "oci", "App", "", "is not the name of a chart in an OCI registry"),
    ] {
        let mut refused = module("refused", repo, Some(source_type), version);
        refused["spec"]["template"]["path"] = json!(path);
        let outcome = environment.kubectl_with("developer", &["create", "-f", "-"], &refused);
        assert!(!outcome.succeeded() && outcome.stderr.contains(told), "{told}: {outcome}");
    }

    for (name, ..) in rows {
        environment.admin(&["delete", "modules.cyclops-ui.com", name, "-n", NAMESPACE]);
    }
    environment.admin(&["delete", "modulepolicy", NAMESPACE]);
    environment.admin(&["delete", "namespace", NAMESPACE, "--wait=false"]);
}

fn the_real_helm_picks_the_same(folder: &Path, authority: &Path, helm_repository: &str, registry: &str) {
    let authority = format!("--ca-file={}", authority.display());
    let chart = format!("{registry}/app");
    for (version, expected) in [("", "1.10.0"), ("^1.2", "1.10.0"), ("~1.9", "1.9.0"), (">=1.0.0-0", "2.0.0-rc.1")] {
        let wanted = format!("--version={version}");
        let places: [&[&str]; 2] = [&["app", "--repo", helm_repository], &[&chart]];
        for place in places {
            let shown = helm(folder, &[&["show", "chart", &wanted, &authority], place].concat());
            assert!(shown.contains(&format!("\nversion: {expected}\n")), "{version} of {place:?}: {shown}");
        }
    }
}
