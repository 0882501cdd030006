//! From kubeconfig files and flags to a connection, by kubectl's rules.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use kube::Config;
use kube::config::{AuthInfo, Cluster, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};

use super::WITHOUT_CLUSTER;
use crate::failure::{CODE_ERROR, Failure};
use crate::global::GlobalArguments;

/// Name of the entries that flags make where the kubeconfig has none.
const FLAGS_ENTRY: &str = "flags";

/// Finds out where the API server is and who asks.
pub(crate) async fn config(globals: &GlobalArguments) -> Result<Config, Failure> {
    let kubeconfig = read_files(globals)?;
    let mut config = match kubeconfig {
        None if globals.server.is_none() => Config::incluster().map_err(|_| {
            Failure::message(CODE_ERROR, "no kubeconfig was found, and this is no pod of a cluster")
                .hint("name one with --kubeconfig or KUBECONFIG")
                .hint(WITHOUT_CLUSTER)
        })?,
        found => {
            let mut kubeconfig = found.unwrap_or_default();
            let options = apply_flags(&mut kubeconfig, globals)?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await.context("the kubeconfig cannot be used")?
        }
    };
    let address = &config.cluster_url;
    if address.scheme().is_none() {
        return Err(Failure::message(CODE_ERROR, format!("the address of the server, {address}, is not complete"))
            .hint(format!("give it as a URL, such as https://{address}")));
    }
    let timeout = parse_timeout(&globals.request_timeout).map_err(Failure::usage)?;
    config.read_timeout = timeout;
    config.connect_timeout = timeout.or(config.connect_timeout);
    config.disable_compression |= globals.disable_compression;
    let agent =
        format!("kubectl-module/{} ({}/{})", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    config.headers.push(("user-agent".parse()?, agent.parse()?));
    Ok(config)
}

/// The files of the flag, of `KUBECONFIG` or of the home folder, merged. Files of a list may be missing, as for
/// kubectl; the one that the flag names may not.
fn read_files(globals: &GlobalArguments) -> Result<Option<Kubeconfig>, Failure> {
    if let Some(file) = &globals.kubeconfig {
        return Ok(Some(Kubeconfig::read_from(file).with_context(|| format!("cannot read {}", file.display()))?));
    }
    let files: Vec<PathBuf> = match std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => std::env::split_paths(&list).collect(),
        None => std::env::home_dir().map(|home| home.join(".kube").join("config")).into_iter().collect(),
    };
    let mut merged: Option<Kubeconfig> = None;
    for file in files.into_iter().filter(|file| file.is_file()) {
        let read = Kubeconfig::read_from(&file).with_context(|| format!("cannot read {}", file.display()))?;
        merged = Some(match merged {
            Some(merged) => merged.merge(read).context("the kubeconfig files do not fit together")?,
            None => read,
        });
    }
    Ok(merged)
}

/// Lets flags overrule what the files say.
fn apply_flags(kubeconfig: &mut Kubeconfig, globals: &GlobalArguments) -> Result<KubeConfigOptions, Failure> {
    let GlobalArguments {
        context,
        cluster,
        user,
        server,
        tls_server_name,
        insecure_skip_tls_verify,
        certificate_authority,
        client_certificate,
        client_key,
        token,
        impersonate,
        impersonate_uid,
        impersonate_group,
        impersonate_extra,
        ..
    } = globals;
    let context_name = context.clone().or_else(|| kubeconfig.current_context.clone());
    let entry =
        context_name.as_ref().and_then(|name| kubeconfig.contexts.iter_mut().find(|context| context.name == *name));
    let entry = match (entry, server) {
        (Some(entry), _) => entry,
        (None, Some(_)) if context.is_none() => {
            let named = NamedContext { name: FLAGS_ENTRY.to_owned(), ..NamedContext::default() };
            kubeconfig.contexts.push(named);
            kubeconfig.current_context = Some(FLAGS_ENTRY.to_owned());
            kubeconfig.contexts.last_mut().context("a context was just added")?
        }
        (None, _) => {
            let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
            let text = match &context_name {
                Some(name) => format!("the kubeconfig has no context {name:?}"),
                None => "the kubeconfig has no current context".to_owned(),
            };
            let hint = format!("choose one with --context: {}", known.join(", "));
            let failure = Failure::message(CODE_ERROR, text);
            return Err(if known.is_empty() { failure } else { failure.hint(hint) });
        }
    };
    let context = entry.context.get_or_insert_default();
    if let Some(cluster) = cluster {
        context.cluster.clone_from(cluster);
    }
    if let Some(user) = user {
        context.user = Some(user.clone());
    }
    if context.cluster.is_empty() {
        FLAGS_ENTRY.clone_into(&mut context.cluster);
    }
    let cluster_name = context.cluster.clone();
    let user_name = context.user.get_or_insert_with(|| FLAGS_ENTRY.to_owned()).clone();

    if !kubeconfig.clusters.iter().any(|cluster| cluster.name == cluster_name) && server.is_some() {
        kubeconfig.clusters.push(NamedCluster { name: cluster_name.clone(), ..NamedCluster::default() });
    }
    if let Some(named) = kubeconfig.clusters.iter_mut().find(|cluster| cluster.name == cluster_name) {
        let cluster: &mut Cluster = named.cluster.get_or_insert_default();
        if server.is_some() {
            cluster.server.clone_from(server);
        }
        if tls_server_name.is_some() {
            cluster.tls_server_name.clone_from(tls_server_name);
        }
        if *insecure_skip_tls_verify {
            cluster.insecure_skip_tls_verify = Some(true);
            cluster.certificate_authority = None;
            cluster.certificate_authority_data = None;
        }
        if let Some(file) = certificate_authority {
            cluster.certificate_authority = Some(file.display().to_string());
            cluster.certificate_authority_data = None;
        }
    }

    if !kubeconfig.auth_infos.iter().any(|user| user.name == user_name) {
        kubeconfig.auth_infos.push(NamedAuthInfo { name: user_name.clone(), ..NamedAuthInfo::default() });
    }
    if let Some(named) = kubeconfig.auth_infos.iter_mut().find(|user| user.name == user_name) {
        let user: &mut AuthInfo = named.auth_info.get_or_insert_default();
        if let Some(token) = token {
            user.token = Some(token.clone().into());
            user.token_file = None;
            user.exec = None;
            user.auth_provider = None;
        }
        if let Some(file) = client_certificate {
            user.client_certificate = Some(file.display().to_string());
            user.client_certificate_data = None;
        }
        if let Some(file) = client_key {
            user.client_key = Some(file.display().to_string());
            user.client_key_data = None;
        }
        if impersonate.is_some() {
            user.impersonate.clone_from(impersonate);
        }
        if impersonate_uid.is_some() {
            user.impersonate_uid.clone_from(impersonate_uid);
        }
        if !impersonate_group.is_empty() {
            user.impersonate_groups = Some(impersonate_group.clone());
        }
        if !impersonate_extra.is_empty() {
            user.impersonate_user_extra = Some(extras(impersonate_extra)?);
        }
    }
    Ok(KubeConfigOptions { context: context_name, ..KubeConfigOptions::default() })
}

fn extras(flags: &[String]) -> Result<HashMap<String, Vec<String>>, Failure> {
    let mut extras: HashMap<String, Vec<String>> = HashMap::new();
    for flag in flags {
        let (key, value) = flag
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("--as-user-extra {flag}: expected KEY=VALUE")))?;
        extras.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Ok(extras)
}

/// Reads `0`, a number of seconds, or a Go duration of whole numbers such as `1m30s`. Zero is no limit.
fn parse_timeout(text: &str) -> Result<Option<Duration>, String> {
    let wrong = || format!("--request-timeout {text}: expected a duration such as 30s");
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let unit = after.find(|character: char| character.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        total += match unit {
            "h" => Duration::from_secs(number.saturating_mul(3600)),
            "m" => Duration::from_secs(number.saturating_mul(60)),
            "s" | "" => Duration::from_secs(number),
            "ms" => Duration::from_millis(number),
            _ => return Err(wrong()),
        };
        rest = after;
    }
    Ok((!total.is_zero()).then_some(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig() -> Kubeconfig {
        let text = "
clusters: [{name: c, cluster: {server: 'https://one'}}, {name: other, cluster: {server: 'https://two'}}]
users: [{name: u, user: {token: t, exec: {command: x}}}]
contexts: [{name: a, context: {cluster: c, user: u, namespace: team-a}}]
current-context: a
";
        Kubeconfig::from_yaml(text).unwrap()
    }

    #[test]
    fn flags_overrule_the_current_context() {
        let mut config = kubeconfig();
        let globals = GlobalArguments {
            server: Some("https://three".into()),
            token: Some("secret".into()),
            impersonate: Some("alice".into()),
            impersonate_group: vec!["developers".into()],
            ..GlobalArguments::default()
        };
        apply_flags(&mut config, &globals).unwrap();
        assert_eq!(config.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("https://three"));
        let user = config.auth_infos[0].auth_info.as_ref().unwrap();
        assert_eq!(user.impersonate.as_deref(), Some("alice"));
        assert_eq!(user.impersonate_groups.as_deref(), Some(["developers".to_owned()].as_slice()));
        assert!(user.exec.is_none());
    }

    #[test]
    fn a_server_alone_is_enough() {
        let mut config = Kubeconfig::default();
        let globals = GlobalArguments { server: Some("https://x".into()), ..GlobalArguments::default() };
        let options = apply_flags(&mut config, &globals).unwrap();
        assert_eq!(options.context, None);
        assert_eq!(config.current_context.as_deref(), Some(FLAGS_ENTRY));
        assert_eq!(config.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("https://x"));
    }

    #[test]
    fn an_unknown_context_names_those_that_exist() {
        let globals = GlobalArguments { context: Some("b".into()), ..GlobalArguments::default() };
        assert!(apply_flags(&mut kubeconfig(), &globals).is_err());
    }

    #[test]
    fn timeouts() {
        assert_eq!(parse_timeout("0"), Ok(None));
        assert_eq!(parse_timeout("1m30s"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(parse_timeout("5"), Ok(Some(Duration::from_secs(5))));
        assert!(parse_timeout("soon").is_err());
        assert!(parse_timeout("1y").is_err());
    }
}
