//! Changes of a Module through the API server, beside no webhook and beside one that allows everything; and the writes
//! that must not reach the webhook.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tests::cluster::{Client, Cluster, NAMESPACE};
use tests::command;
use tests::times::{milliseconds, percentile};

use crate::allow_all::{ALLOW_ALL, AllowAll};
use crate::load::{Body, Request, Target, open_loop, succeeded};
use crate::subject::{example, module_webhook};

/// The kind Module once more in a group that no webhook guards, and in one whose webhook allows everything.
const UNGUARDED: &str = "unguarded.example.com";
const ALLOWED: &str = "allowed.example.com";
/// Writes of metadata, and as many of status, that must not reach the webhook.
const SILENT_WRITES: usize = 50;

/// The same change of a Module in three groups: guarded by us, by a handler that allows everything, and by nobody.
pub(crate) async fn changes(
    cluster: &Cluster,
    client: &Client,
    allow_all: &AllowAll,
    rate: u32,
    seconds: u32,
) -> Result<()> {
    create(cluster, &example(cluster)?)?;
    copy_kind(cluster, &[UNGUARDED, ALLOWED])?;
    copy_module(cluster, &[UNGUARDED, ALLOWED])?;
    copy_second_line(cluster)?;
    copy_webhooks(cluster, allow_all)?;
    let body: Body = Arc::new(|number| {
        let annotations = json!({ "change": format!("v{number}") });
        json!({ "spec": { "values": { "podAnnotations": annotations } } }).to_string().into_bytes()
    });
    let targets = [("no webhook", UNGUARDED), ("allow-all", ALLOWED), ("module-webhook", "cyclops-ui.com")].map(
        |(name, group)| Target { name, request: changes_of(client, group, "", "&dryRun=All"), body: Arc::clone(&body) },
    );
    // Caches, connections, branch predictors: not counted.
    open_loop(&targets, rate, Duration::from_secs(3)).await?;
    let answers = open_loop(&targets, rate, Duration::from_secs(seconds.into())).await?;

    println!();
    println!(
        "Changes of a Module with 4 objects through the API server, {rate} a second of each, {} each, interleaved",
        rate * seconds
    );
    println!("{:<22}{:>12}{:>12}{:>12}{:>12}", "", "p50", "p99", "p50 ratio", "p99 ratio");
    let mut rows = Vec::new();
    for (target, answers) in targets.iter().zip(answers) {
        let mut times = succeeded(target, answers)?;
        rows.push((target.name, percentile(&mut times, 50), percentile(&mut times, 99)));
    }
    let (_, base_half, base_most) = rows[1];
    for (name, half, most) in rows {
        println!(
            "{name:<22}{:>9.2} ms{:>9.2} ms{:>12.2}{:>12.2}",
            milliseconds(half),
            milliseconds(most),
            half.as_secs_f64() / base_half.as_secs_f64(),
            most.as_secs_f64() / base_most.as_secs_f64(),
        );
    }
    Ok(())
}

/// Writes of labels and of status, which the match conditions keep from the webhook.
pub(crate) async fn silent_writes(cluster: &Cluster, client: &Client) -> Result<()> {
    let admissions = || cluster.webhook_metric("module_admissions_total", "");
    let before = admissions()?;
    let labels: Body = Arc::new(|number| {
        json!({ "metadata": { "labels": { "number": number.to_string() } } }).to_string().into_bytes()
    });
    let status: Body = Arc::new(|number| {
        json!({ "status": { "reconciliationStatus": { "reason": number.to_string() } } }).to_string().into_bytes()
    });
    for (subresource, body) in [("", labels), ("/status", status)] {
        let target =
            Target { name: "the API server", request: changes_of(client, "cyclops-ui.com", subresource, ""), body };
        let mut answers = Vec::new();
        for number in 0..SILENT_WRITES {
            answers.push(target.send(number).await);
        }
        succeeded(&target, answers)?;
    }
    let calls = admissions()? - before;
    println!();
    println!("{SILENT_WRITES} writes of metadata and {SILENT_WRITES} of status: {calls} calls of the webhook");
    Ok(())
}

/// Makes the kind Module again in other groups.
fn copy_kind(cluster: &Cluster, groups: &[&str]) -> Result<()> {
    let mut get = cluster.kubectl("admin");
    get.args(["get", "crd", "modules.cyclops-ui.com", "-o", "json"]);
    let original: Value = serde_json::from_str(&command::run(&mut get)?.success()?)?;
    for group in groups {
        let mut spec = original["spec"].clone();
        spec["group"] = json!(group);
        create(
            cluster,
            &json!({
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": { "name": format!("modules.{group}") },
                "spec": spec,
            }),
        )?;
        let mut wait = cluster.kubectl("admin");
        wait.args(["wait", "--for=condition=established", "--timeout=60s", &format!("crd/modules.{group}")]);
        command::run(&mut wait)?.success()?;
    }
    Ok(())
}

/// Makes the Module again in other groups as it is once the controller has applied it: annotations, finalizer, status
/// and their managers, which the API server reads and writes with every change.
fn copy_module(cluster: &Cluster, groups: &[&str]) -> Result<()> {
    let run = |arguments: &[&str], input: &Value| -> Result<String> {
        let mut kubectl = cluster.kubectl("admin");
        kubectl.args(arguments);
        command::run_with_input(&mut kubectl, &input.to_string())?.success()
    };
    let (team, name) = ("--namespace=team-a", "module.cyclops-ui.com/app");
    run(&["wait", team, "--for=condition=Ready", "--timeout=60s", name], &Value::Null)?;
    let stored: Value = serde_json::from_str(&run(&["get", team, name, "-o", "json"], &Value::Null)?)?;
    let controller = "--field-manager=module-controller";
    for group in groups {
        let mut module = stored.clone();
        module["apiVersion"] = json!(format!("{group}/v1alpha1"));
        let metadata = &stored["metadata"];
        module["metadata"] = json!({
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "annotations": metadata["annotations"],
        });
        run(&["create", "-f", "-"], &module)?;
        let finalizers = json!({ "metadata": { "finalizers": metadata["finalizers"] } }).to_string();
        let resource = format!("module.{group}/app");
        run(&["patch", team, &resource, "--type=merge", controller, "-p", &finalizers], &Value::Null)?;
        run(&["replace", "--subresource=status", controller, "-f", "-"], &module)?;
    }
    Ok(())
}

/// Lets our `ValidatingAdmissionPolicies` judge the group that allows everything too: they are no part of the webhook.
fn copy_second_line(cluster: &Cluster) -> Result<()> {
    let all = |kind: &str| -> Result<Vec<Value>> {
        let mut get = cluster.kubectl("admin");
        get.args(["get", kind, "-o", "json"]);
        let list: Value = serde_json::from_str(&command::run(&mut get)?.success()?)?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    };
    let name = |object: &Value| format!("{ALLOW_ALL}-{}", object["metadata"]["name"].as_str().unwrap_or_default());
    for policy in all("validatingadmissionpolicies")? {
        let mut spec = policy["spec"].clone();
        for rule in spec["matchConstraints"]["resourceRules"].as_array_mut().into_iter().flatten() {
            rule["apiGroups"] = json!([ALLOWED]);
        }
        create(
            cluster,
            &json!({
                "apiVersion": policy["apiVersion"],
                "kind": "ValidatingAdmissionPolicy",
                "metadata": { "name": name(&policy) },
                "spec": spec,
            }),
        )?;
    }
    for binding in all("validatingadmissionpolicybindings")? {
        let mut spec = binding["spec"].clone();
        spec["policyName"] = json!(format!("{ALLOW_ALL}-{}", spec["policyName"].as_str().unwrap_or_default()));
        create(
            cluster,
            &json!({
                "apiVersion": binding["apiVersion"],
                "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": { "name": name(&binding) },
                "spec": spec,
            }),
        )?;
    }
    Ok(())
}

/// Makes both of our webhooks for Modules again, for the other group and the other server.
fn copy_webhooks(cluster: &Cluster, allow_all: &AllowAll) -> Result<()> {
    create(
        cluster,
        &json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": ALLOW_ALL, "namespace": NAMESPACE },
            "spec": {
                "type": "ExternalName",
                "externalName": "localhost",
                "ports": [{ "port": allow_all.port }],
            },
        }),
    )?;
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
        let mut webhook = module_webhook(cluster, kind)?;
        webhook["rules"][0]["apiGroups"] = json!([ALLOWED]);
        webhook["clientConfig"] = json!({
            "service": { "name": ALLOW_ALL, "namespace": NAMESPACE, "path": "/", "port": allow_all.port },
            "caBundle": BASE64_STANDARD.encode(&allow_all.authority),
        });
        create(
            cluster,
            &json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": { "name": ALLOW_ALL },
                "webhooks": [webhook],
            }),
        )?;
    }
    // The API server learns of configurations by watching them.
    std::thread::sleep(Duration::from_secs(2));
    Ok(())
}

fn create(cluster: &Cluster, object: &Value) -> Result<()> {
    let mut create = cluster.kubectl("admin");
    create.args(["create", "-f", "-"]);
    command::run_with_input(&mut create, &object.to_string())?.success().map(drop)
}

/// Changes of one Module by a merge patch.
fn changes_of(client: &Client, group: &str, subresource: &str, query: &str) -> Request {
    let client = client.clone();
    let path = format!("/apis/{group}/v1alpha1/namespaces/team-a/modules/app{subresource}?fieldManager=bench{query}");
    Arc::new(move || client.request(Method::PATCH, &path).header(CONTENT_TYPE, "application/merge-patch+json"))
}
