//! `kubectl module check`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::check::Report;
use crate::check::base::Base;
use crate::check::files::{Root, STANDARD_INPUT};
use crate::check::live;
use crate::check::offline::OfflineCheck;
use crate::check::output::CheckFormat;
use crate::command::SUCCESS;
use crate::config::parse_template_root;
use crate::failure::{CODE_ERROR, CODE_REFUSED, Failure};
use crate::global::GlobalArguments;
use crate::identity;
use crate::target::on_render_stack;
use crate::terminal::Terminal;

/// The namespace of a Module whose file names none.
const DEFAULT_NAMESPACE: &str = "default";

const EXAMPLES: &str = "\
Examples:
  # The Modules in a folder
  kubectl module check apps

  # What a branch changes, told beside the lines of a pull request
  kubectl module check apps --base origin/main -o github

  # Whether a developer could make the change too
  kubectl module check apps --base origin/main --as alice --as-group developers

  # Whether the cluster is what the files say
  kubectl module check apps --live";

/// Check Modules in files, for example in a pull request
///
/// Judges the Modules, ModulePolicies and TemplateStores in files and folders as the webhook would, and says with file
/// and line what is wrong. Other objects are ignored; so are folders with a Chart.yaml, whose files are templates. What
/// cannot be read fails the check. No cluster is asked, except with --live: templates come from folders, and a folder
/// stands for every version of its repository.
///
/// Each Module is checked as if it were new: its fields, its values against the template's schema, whether it renders,
/// and whether the policies let it have what it renders to. With --base REV only what changes is judged, and as a
/// change: of locked values, of the template's reference, or a deletion. It is compared with the commit where HEAD and
/// REV part. Templates and policies of the same repository count as they were at that commit, so that a pull request
/// cannot allow itself what it does; a template that it changes must render as it is now, too.
///
/// Changes are judged for a GitOps writer, who makes them once they are merged: what is locked passes, and is told in a
/// note. --as and --as-group judge for somebody else, for whom a locked change is an error. If no policy names a GitOps
/// writer, nobody may change what is locked.
///
/// A Module's namespace is that of a kustomization.yaml beside its file, else its own, else --namespace. For other
/// overlays check what is built: kustomize build overlays/prod | kubectl module check -
///
/// Only a cluster knows who may create which resources, and which values Git owns (`ownership` of a ModulePolicy).
/// --live asks it, by dry runs that store nothing, for the user of the kubeconfig or of --as.
///
/// Ends with code 1 if anything is wrong whoever writes it, with code 3 if all that is wrong is who writes.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArguments {
    /// Files and folders with Modules, "-" for standard input
    #[arg(value_name = "FILE|DIR", required = true)]
    paths: Vec<PathBuf>,

    /// Compare with the files before the branch, such as origin/main: at the commit where HEAD and REV part
    #[arg(long, value_name = "REV")]
    base: Option<String>,

    /// Compare with the Modules in the cluster, which judges with its own policies and templates
    #[arg(long, conflicts_with_all = ["base", "policy", "template_root"])]
    live: bool,

    /// File of the ModulePolicies that count; can be repeated (default: those of kubectl-module.yaml, and those in the
    /// files that are checked)
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,

    /// Folder that holds a repository of templates; can be repeated
    #[arg(long, value_name = "REPO=DIR", value_parser = parse_template_root)]
    template_root: Vec<(String, PathBuf)>,

    /// Output format
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "text")]
    output: CheckFormat,
}

impl CheckArguments {
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let roots: Vec<Root> = self.paths.iter().map(|path| root(path)).collect();
        if self.base.is_some() && roots.iter().any(Root::is_standard_input) {
            return Err(Failure::usage("--base compares files of a repository, not standard input"));
        }
        let report =
            if self.live { live::run(&roots, globals)? } else { on_render_stack(|| self.offline(&roots, globals))?? };
        terminal.print(&self.output.write(&report, terminal.style)?)?;
        Ok(match report.is_passed() {
            true => SUCCESS,
            false if report.is_only_refused() => CODE_REFUSED,
            false => CODE_ERROR,
        })
    }

    fn offline(&self, roots: &[Root], globals: &GlobalArguments) -> Result<Report, Failure> {
        let near = self.paths.first().map_or(Path::new("."), PathBuf::as_path);
        let base = self.base.as_deref().map(|revision| Base::open(revision, near)).transpose()?;
        let check = OfflineCheck {
            namespace: globals.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE),
            requester: identity::of_flags(globals)?,
            template_roots: self.template_root.iter().cloned().collect(),
            policies: &self.policy,
            base: base.as_ref(),
        };
        let mut report = check.run(roots)?;
        report.compared_with = self
            .base
            .as_ref()
            .zip(base.as_ref())
            .map(|(revision, base)| format!("{revision} ({})", base.short_commit()));
        Ok(report)
    }
}

fn root(path: &Path) -> Root {
    let shown = match path.strip_prefix(".") {
        _ if path == Path::new("-") => Path::new(STANDARD_INPUT),
        Ok(below) => below,
        Err(_) => path,
    };
    Root { path: path.to_owned(), shown: shown.to_owned() }
}
