//! The Modules that are measured, and reviews of their changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::cluster::{Cluster, NAME, templates};
use tests::{checkout, command, large_chart};

use crate::load::Body;

/// The folder and template repository of charts with a hundred objects.
const HUNDRED: &str = "hundred-objects";
/// Stands in a review where each has another number.
const NUMBER: &str = "number-of-the-review";

/// A Module and a value that changes freely.
pub(crate) struct Subject {
    /// What it is called in a table.
    pub(crate) name: &'static str,
    module: Value,
    /// Where below `spec.values` the changed value is.
    changed: &'static str,
}

impl Subject {
    /// The example with four objects.
    pub(crate) fn four(cluster: &Cluster) -> Result<Self> {
        Ok(Self { name: "4 objects", module: example(cluster)?, changed: "/podAnnotations/change" })
    }

    /// A hundred objects of 1 KiB.
    pub(crate) fn hundred(cluster: &Cluster) -> Result<Self> {
        Ok(Self::generated(cluster, "100 objects, 0.1 MiB", "ordinary"))
    }

    /// A hundred objects of 11 KiB.
    pub(crate) fn mebibyte(cluster: &Cluster) -> Result<Self> {
        Ok(Self::generated(cluster, "100 objects, 1 MiB", "large"))
    }

    fn generated(cluster: &Cluster, name: &'static str, chart: &str) -> Self {
        let values = json!({ "global": { "registry": "registry.example.com" } });
        let module = cluster.module("team-a", chart, chart, &values);
        Self { name, module: with_repository(module, &cluster.templates()[HUNDRED]), changed: "/global/registry" }
    }

    /// Reviews of a developer's free changes, as the validating webhook gets them.
    pub(crate) fn reviews(&self, cluster: &Cluster) -> Result<Body> {
        // Applied, because the example exists; dry, because nobody needs the others.
        let mut apply = cluster.kubectl("gitops");
        apply.args(["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-o", "json", "-f", "-"]);
        let stored = command::run_with_input(&mut apply, &self.module.to_string())?.success()?;
        let stored: Value = serde_json::from_str(&stored)?;
        let mut changed = stored.clone();
        let place = changed.pointer_mut(&format!("/spec/values{}", self.changed));
        *place.with_context(|| format!("{} has no value {}", self.name, self.changed))? = json!(NUMBER);
        changed["metadata"]["generation"] = json!(2);
        changed["metadata"]["annotations"]["module.cyclops-ui.com/written-by"] = json!("alice");
        let kind = json!({ "group": "cyclops-ui.com", "version": "v1alpha1", "kind": "Module" });
        let resource = json!({ "group": "cyclops-ui.com", "version": "v1alpha1", "resource": "modules" });
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "0b6d3a5e-97b5-4a9c-8a0a-5f0d3c1f2b7e",
                "kind": kind,
                "resource": resource,
                "requestKind": kind,
                "requestResource": resource,
                "name": stored["metadata"]["name"],
                "namespace": stored["metadata"]["namespace"],
                "operation": "UPDATE",
                "userInfo": { "username": "alice", "groups": ["developers", "system:authenticated"] },
                "object": changed,
                "oldObject": stored,
                "dryRun": true,
                "options": { "apiVersion": "meta.k8s.io/v1", "kind": "UpdateOptions" },
            },
        })
        .to_string();
        Ok(Arc::new(move |number| review.replace(NUMBER, &format!("v{number}")).into_bytes()))
    }
}

/// Makes a template repository with two charts of a hundred objects.
pub(crate) fn large_chart_repository(folder: &Path) -> Result<PathBuf> {
    let repository = folder.join(HUNDRED);
    large_chart::write(&repository.join("ordinary"), large_chart::ORDINARY)?;
    large_chart::write(&repository.join("large"), large_chart::LARGE)?;
    templates::commit_all(&repository, "Publish a large template")?;
    Ok(repository)
}

/// The example with four objects.
pub(crate) fn example(cluster: &Cluster) -> Result<Value> {
    let file = checkout::root().join("examples/modules/app.yaml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} could not be read", file.display()))?;
    let mut module: Value = serde_yaml::from_str(&text)?;
    module["spec"]["values"]["podAnnotations"] = json!({ "change": "none" });
    Ok(with_repository(module, &cluster.templates()[templates::EXAMPLES]))
}

fn with_repository(mut module: Value, repository: &str) -> Value {
    module["spec"]["template"]["repo"] = json!(repository);
    module
}

/// Our webhook for updates of Modules, from the configuration of this kind.
pub(crate) fn module_webhook(cluster: &Cluster, kind: &str) -> Result<Value> {
    let mut get = cluster.kubectl("admin");
    get.args(["get", kind, NAME, "-o", "json"]);
    let configuration: Value = serde_json::from_str(&command::run(&mut get)?.success()?)?;
    let lists =
        |field: &Value, word: &str| field.as_array().is_some_and(|words| words.iter().any(|other| other == word));
    let webhooks = configuration["webhooks"].as_array().into_iter().flatten();
    let mut webhooks = webhooks.filter(|webhook| {
        let rule = &webhook["rules"][0];
        lists(&rule["resources"], "modules") && lists(&rule["operations"], "UPDATE")
    });
    webhooks.next().cloned().with_context(|| format!("the {kind} {NAME} has no webhook for updates of modules"))
}
