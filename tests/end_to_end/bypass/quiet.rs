//! Writes of labels, finalizers and status do not call the webhook: they work as fast and as long as the API server does.

use serde_json::{Value, json};
use tests::cluster::{Cluster, NAME};

use super::MANAGER;
use super::api::Place;
use super::request::Request;
use super::table::{Way, Write};
use super::world::World;

impl World {
    /// Writes what the webhook does not care for, and checks that it was not asked. Nobody else may write meanwhile.
    pub(crate) async fn metadata_calls_no_hook(&self) {
        let place = Place { namespace: "team-a", name: "quiet" };
        let module = self.environment.app(place.namespace, place.name);
        let created = self.api.send("argocd", place, &Request::Create { body: module }, MANAGER, false).await;
        assert!(created.succeeded, "{}", created.text);

        let cluster = &self.environment.cluster;
        let before = admissions(cluster);
        for (identity, write) in [
            ("developer", change(json!({ "metadata": { "labels": { "a": "b" } } }))),
            ("developer", change(json!({ "metadata": { "annotations": { "example.com/seen": "true" } } }))),
            ("developer", change(json!({ "metadata": { "finalizers": ["example.com/hold"] } }))),
            ("developer", change(json!({ "metadata": { "generation": 7 } }))),
            ("developer", change(json!({ "status": { "templateResolvedVersion": "dropped" } }))),
            ("developer", Write::Status(json!({ "status": { "iconURL": "https://example.com/icon.svg" } }))),
            ("controller", Write::Status(json!({ "status": { "templateResolvedVersion": "a", "revision": 1 } }))),
            ("controller", Write::Status(json!({ "status": { "observedGeneration": 1 } }))),
        ] {
            for way in [Way::Json, Way::Merge, Way::Replace] {
                let live = self.api.module(place).await.unwrap();
                let answer = self.api.send(identity, place, &write.request(way, &live, ""), MANAGER, false).await;
                assert!(answer.succeeded, "{write:?}: {}", answer.text);
            }
        }
        assert_eq!(admissions(cluster), before, "of {NAME} before and after");

        let both = change(json!({ "metadata": { "labels": { "a": "c" } }, "spec": { "values": { "replicas": 3 } } }));
        let live = self.api.module(place).await.unwrap();
        let answer = self.api.send("developer", place, &both.request(Way::Merge, &live, ""), MANAGER, false).await;
        assert!(answer.succeeded, "{}", answer.text);
        assert_eq!(admissions(cluster), before + 2, "a write of values is seen by both hooks");
    }
}

fn change(change: Value) -> Write {
    Write::Change(change)
}

/// How many admissions the webhook has decided.
fn admissions(cluster: &Cluster) -> u64 {
    cluster.webhook_metric("module_admissions_total", "").unwrap()
}
