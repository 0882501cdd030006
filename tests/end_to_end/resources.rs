//! What a Module expands to appears, follows its values, is pruned, and goes with the Module.

use serde_json::json;

use crate::environment::shared;

const TEAM: &str = "team-b";

#[test]
fn resources_follow_the_module() {
    let environment = shared();
    let name = "followed";
    let mut module = environment.app(TEAM, name);
    module["spec"]["values"]["config"] = json!({ "motd": "one" });
    environment.create("developer", &module);

    for kind in ["deployment", "service", "ingress", "configmap", "poddisruptionbudget"] {
        let object = environment.eventually(&format!("{kind}/{name} appears"), || environment.object(TEAM, kind, name));
        assert_eq!(object["metadata"]["labels"]["cyclops.module"], name, "{kind}");
        assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/managed-by"], "cyclops", "{kind}");
    }
    let deployment = environment.object(TEAM, "deployment", name).unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);

    // One copy needs no disruption budget, and no files need no ConfigMap: both are pruned.
    let change = json!({ "spec": { "values": { "replicas": 1, "config": null } } }).to_string();
    let arguments = ["patch", "modules.cyclops-ui.com", name, "-n", TEAM, "--type=merge", "-p", &change];
    environment.kubectl("developer", &arguments).success().unwrap();
    environment.eventually("the Deployment follows", || {
        (environment.object(TEAM, "deployment", name)?["spec"]["replicas"] == 1).then_some(())
    });
    for kind in ["configmap", "poddisruptionbudget"] {
        environment.eventually(&format!("{kind}/{name} is pruned"), || {
            environment.object(TEAM, kind, name).is_none().then_some(())
        });
    }
    assert!(environment.object(TEAM, "ingress", name).is_some());

    let arguments = ["delete", "modules.cyclops-ui.com", name, "-n", TEAM, "--timeout=60s"];
    environment.kubectl("developer", &arguments).success().unwrap();
    for kind in ["deployment", "service", "ingress"] {
        environment.eventually(&format!("{kind}/{name} goes with the Module"), || {
            environment.object(TEAM, kind, name).is_none().then_some(())
        });
    }
}

#[test]
fn sub_charts_are_applied() {
    let environment = shared();
    let name = "shop";
    let values = json!({ "title": "Tools", "cache": { "enabled": true, "memory": "256Mi" } });
    environment.create("developer", &environment.cluster.module(TEAM, name, "storefront", &values));
    for (kind, object) in
        [("configmap", "shop-pages"), ("deployment", "shop-shop"), ("statefulset", "shop-cache"), ("ingress", "shop")]
    {
        environment.eventually(&format!("{kind}/{object} appears"), || environment.object(TEAM, kind, object));
    }
    // Helm's tests are no part of the application.
    assert!(environment.object(TEAM, "pod", "shop-connection-test").is_none());
}
