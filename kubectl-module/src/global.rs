//! Flags that every subcommand accepts: kubectl's own, and colours.
//!
//! kubectl refuses flags before a plugin's name, so all of them must be accepted after any subcommand.

use std::path::PathBuf;

use clap::Args;

use crate::terminal::ColorChoice;

/// kubectl's flags for finding the cluster and the identity, under their usual names.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct GlobalArguments {
    /// Namespace of the Module (default: the context's, else "default")
    #[arg(short, long, global = true)]
    pub(crate) namespace: Option<String>,

    /// Path of the kubeconfig file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig to use
    #[arg(long, global = true)]
    pub(crate) context: Option<String>,

    /// Cluster of the kubeconfig to use
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) cluster: Option<String>,

    /// User of the kubeconfig to use
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) user: Option<String>,

    /// Address of the API server
    #[arg(short, long, global = true, hide_short_help = true, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// Name to check in the server's certificate
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,

    /// Do not check the server's certificate
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) insecure_skip_tls_verify: bool,

    /// File with the certificate authority of the server
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub(crate) certificate_authority: Option<PathBuf>,

    /// File with the client certificate
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub(crate) client_certificate: Option<PathBuf>,

    /// File with the key of the client certificate
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub(crate) client_key: Option<PathBuf>,

    /// Bearer token
    #[arg(long, global = true, hide_short_help = true, hide_env_values = true)]
    pub(crate) token: Option<String>,

    /// User to impersonate
    #[arg(long = "as", global = true, hide_short_help = true, value_name = "USER")]
    pub(crate) impersonate: Option<String>,

    /// UID to impersonate
    #[arg(long = "as-uid", global = true, hide_short_help = true, value_name = "UID")]
    pub(crate) impersonate_uid: Option<String>,

    /// Group to impersonate; can be repeated
    #[arg(long = "as-group", global = true, hide_short_help = true, value_name = "GROUP")]
    pub(crate) impersonate_group: Vec<String>,

    /// Extra of the user to impersonate; can be repeated
    #[arg(long = "as-user-extra", global = true, hide_short_help = true, value_name = "KEY=VALUE")]
    pub(crate) impersonate_extra: Vec<String>,

    /// How long to wait for one answer of the server, such as 30s; 0 waits for ever
    #[arg(long, global = true, hide_short_help = true, default_value = "0", value_name = "DURATION")]
    pub(crate) request_timeout: String,

    /// Do not ask the server to compress its answers
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) disable_compression: bool,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = None::<&str>)]
    pub(crate) color: ColorChoice,
}
