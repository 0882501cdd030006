//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// Admission webhook and controller for Modules
#[derive(Clone, Debug, Parser)]
#[command(name = "module-webhook", version)]
pub struct Arguments {
    /// Kubeconfig file; without it, the service account of the Pod or the usual places
    #[arg(long, value_name = "PATH")]
    pub kubeconfig: Option<PathBuf>,
    /// Namespace of the webhook's own Secret, Lease and Service
    #[arg(long, default_value = "module-system")]
    pub namespace: String,
    /// Service by which the API server reaches the webhook
    #[arg(long, default_value = "module-webhook")]
    pub service: String,
    /// Port of that Service
    #[arg(long, value_name = "PORT", default_value_t = 443)]
    pub service_port: u16,
    /// Service account of the webhook, whose writes of status and finalizers are the controller's
    #[arg(long, default_value = "module-webhook")]
    pub service_account: String,
    /// Name of the webhook configurations
    #[arg(long, default_value = "module-webhook")]
    pub configurations: String,
    /// Leave webhook configurations and the API server's policies as somebody has made them, and only write caBundle;
    /// otherwise what the manifests install is restored when it is changed or deleted
    #[arg(long)]
    pub no_repair: bool,
    /// Address of the webhook
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8443")]
    pub bind: SocketAddr,
    /// Address of /livez, /readyz and /metrics, without TLS
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8080")]
    pub status_bind: SocketAddr,
    /// Certificate authorities, as PEM, of the API server's client certificate; without them anybody may connect to the
    /// webhook's port and ask for verdicts
    #[arg(long, value_name = "PATH")]
    pub client_ca_file: Option<PathBuf>,
    /// Common name of the API server's client certificate; may be given more than once. Without it every certificate of
    /// those authorities is good
    #[arg(long, value_name = "NAME", requires = "client_ca_file")]
    pub client_name: Vec<String>,
    /// Folder with tls.crt and tls.key, a mounted Secret: they are served, and read again when they change; whoever makes
    /// them also writes their authority into caBundle, as cert-manager does. Without it the webhook makes its own
    #[arg(long, value_name = "DIR")]
    pub certificate_dir: Option<PathBuf>,
    /// cert-manager's Certificate whose authority it writes into caBundle: the annotation cert-manager.io/inject-ca-from of
    /// the webhook configurations
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "certificate_dir")]
    pub inject_ca_from: Option<String>,
    /// Folder for fetched templates
    #[arg(long, value_name = "DIR", default_value = "/var/cache/module-webhook")]
    pub cache_dir: PathBuf,
    /// Certificate authorities, as PEM, of template repositories' servers, trusted beside those of the system
    #[arg(long, value_name = "PATH")]
    pub source_ca_file: Option<PathBuf>,
    /// Namespace of the `TemplateAuthRules`, and of the Secrets with credentials for template repositories that they name
    #[arg(long, value_name = "NAMESPACE", default_value = "cyclops")]
    pub credentials_namespace: String,
    /// Only decide writes; leave applying to an installed Cyclops
    #[arg(long)]
    pub no_controller: bool,
    /// Let everything through: what would be refused is a warning to whoever writes, an annotation in the audit log, and
    /// counted. For trials before locks are enforced
    #[arg(long)]
    pub audit_only: bool,
    /// User name of an installed Cyclops, such as system:serviceaccount:cyclops:cyclops-ctrl
    #[arg(long, value_name = "USER")]
    pub cyclops_user: Option<String>,
    /// Name of this replica in the controller's Lease
    #[arg(long, env = "POD_NAME", default_value = "module-webhook")]
    pub identity: String,
    /// After SIGTERM, go on answering for this long while being reported as not ready
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub shutdown_delay: Duration,
    /// Threads that render; one for each processor by default
    #[arg(long, value_name = "N")]
    pub render_threads: Option<usize>,
    /// Take a template repository from a local folder, for trials without Git
    #[arg(long, value_name = "REPO=DIR", value_parser = template_root)]
    pub template_root: Vec<(String, PathBuf)>,
    /// Form of log lines
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Reads a duration as Go prints it, such as `5s`, `1m30s` or `250ms`. Used for flags and for the API server's
/// `timeout` parameter.
pub fn duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("`{text}` is not a duration such as 5s, 1m30s or 250ms");
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(invalid()),
        };
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| invalid())?;
        total = total.checked_add(part).ok_or_else(invalid)?;
        rest = tail;
    }
    Ok(total)
}

fn template_root(text: &str) -> Result<(String, PathBuf), String> {
    let (repo, folder) = text.rsplit_once('=').ok_or_else(|| format!("`{text}` is not REPO=DIR"))?;
    Ok((repo.to_owned(), PathBuf::from(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_as_go_prints_them() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "5", "s", "5 s", "-5s", "5x", "1e300h", "9999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_manifests() {
        let arguments = Arguments::parse_from(["module-webhook"]);
        assert_eq!((arguments.namespace.as_str(), arguments.service.as_str()), ("module-system", "module-webhook"));
        assert_eq!(arguments.configurations, "module-webhook");
    }
}
