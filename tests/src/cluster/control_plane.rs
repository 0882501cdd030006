//! Starts etcd, kube-apiserver and kube-controller-manager.

use std::process::Command;

use anyhow::Result;

use super::layout::{Description, Layout};
use super::processes::Processes;

/// Requests by user, verb and resource, without bodies: enough to count and judge them.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
";

/// With which certificate the API server calls webhooks. Whether it is asked for is the webhook's choice.
const ADMISSION: &str = "\
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: MutatingAdmissionWebhook
    configuration: &webhooks
      apiVersion: apiserver.config.k8s.io/v1
      kind: WebhookAdmissionConfiguration
      kubeConfigFile: FILE
  - name: ValidatingAdmissionWebhook
    configuration: *webhooks
";

/// Starts etcd.
pub(super) fn start_etcd(layout: &Layout, processes: &Processes, description: &Description) -> Result<()> {
    let ports = description.ports;
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    let mut etcd = Command::new(description.programs.join("etcd"));
    etcd.args([
        "--name=module",
        "--unsafe-no-fsync",
        "--log-level=warn",
        &format!("--data-dir={}", layout.path("etcd").display()),
        &format!("--listen-client-urls={client}"),
        &format!("--advertise-client-urls={client}"),
        &format!("--listen-peer-urls={peer}"),
        &format!("--initial-advertise-peer-urls={peer}"),
        &format!("--initial-cluster=module={peer}"),
    ]);
    processes.start("etcd", &mut etcd)
}

/// Starts the API server, which is not ready yet on return.
pub(super) fn start_api_server(layout: &Layout, processes: &Processes, description: &Description) -> Result<()> {
    let ports = description.ports;
    layout.write("audit-policy.yaml", AUDIT_POLICY)?;
    let kubeconfig = layout.path("credentials/webhooks.kubeconfig");
    layout.write("admission.yaml", &ADMISSION.replace("FILE", &kubeconfig.display().to_string()))?;
    let credentials = layout.path("credentials");
    let credentials = credentials.display();
    let mut api_server = Command::new(description.programs.join("kube-apiserver"));
    api_server.args([
        &format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        &format!("--secure-port={}", ports.api_server),
        // A loopback address is no valid endpoint of the service `kubernetes`, which nobody uses here.
        "--endpoint-reconciler-type=none",
        &format!("--cert-dir={credentials}"),
        &format!("--tls-cert-file={credentials}/server.crt"),
        &format!("--tls-private-key-file={credentials}/server.key"),
        &format!("--client-ca-file={credentials}/ca.crt"),
        &format!("--admission-control-config-file={}", layout.path("admission.yaml").display()),
        "--authorization-mode=RBAC",
        "--anonymous-auth=false",
        "--service-account-issuer=https://kubernetes.default.svc",
        &format!("--service-account-key-file={credentials}/service-account.pub"),
        &format!("--service-account-signing-key-file={credentials}/service-account.key"),
        // A /24 runs out of addresses at 250 Services.
        "--service-cluster-ip-range=10.0.0.0/16",
        "--allow-privileged=true",
        &format!("--audit-policy-file={}", layout.path("audit-policy.yaml").display()),
        &format!("--audit-log-path={}", layout.path("logs/audit.log").display()),
    ]);
    processes.start("kube-apiserver", &mut api_server)
}

/// Starts the controllers: garbage collection, namespace deletion, service accounts, replica sets.
pub(super) fn start_controllers(layout: &Layout, processes: &Processes, description: &Description) -> Result<()> {
    let credentials = layout.path("credentials");
    let credentials = credentials.display();
    let mut controllers = Command::new(description.programs.join("kube-controller-manager"));
    controllers.args([
        &format!("--kubeconfig={credentials}/controller-manager.kubeconfig"),
        &format!("--service-account-private-key-file={credentials}/service-account.key"),
        &format!("--root-ca-file={credentials}/ca.crt"),
        "--use-service-account-credentials",
        "--leader-elect=false",
        // There are no nodes.
        "--controllers=*,-node-ipam-controller,-node-lifecycle-controller",
        "--secure-port=0",
    ]);
    processes.start("kube-controller-manager", &mut controllers)
}
