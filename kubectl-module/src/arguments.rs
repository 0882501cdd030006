//! The command line.

use clap::Parser;

use crate::command::Command;
use crate::global::GlobalArguments;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or cancelled without changes
  1  an error; a difference, with --exit-code
  2  wrong usage
  3  the change is refused
  4  somebody else changed the same values";

/// Edit, preview, explain and render Modules
///
/// A Module is an application made from a template (a Helm chart) and values. The template's author locks some values:
/// they are changed through Git only. Every command shows which ones, and says before a change is made what it would
/// do.
#[derive(Debug, Parser)]
#[command(name = "kubectl-module", bin_name = "kubectl module", version)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) globals: GlobalArguments,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn kubectl_flags_come_after_the_subcommand() {
        let arguments = Arguments::try_parse_from([
            "kubectl-module",
            "get",
            "demo",
            "-n",
            "team-a",
            "--context",
            "x",
            "--as",
            "alice",
            "--as-group",
            "a",
            "--as-group",
            "b",
            "--request-timeout",
            "5s",
            "--kubeconfig",
            "k",
            "-s",
            "https://x",
        ])
        .unwrap();
        assert_eq!(arguments.globals.namespace.as_deref(), Some("team-a"));
        assert_eq!(arguments.globals.impersonate_group, ["a", "b"]);
    }
}
