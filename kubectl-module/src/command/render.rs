//! `kubectl module render`.

mod chart;
mod output_directory;

use std::path::{Path, PathBuf};

use clap::Args;
use renderer::release::check_name;
use renderer::values::{ValueOptions, Values};
use renderer::{Profile, RenderOptions, Rendered};

use self::output_directory::OutputDirectory;
use crate::change::read_file;
use crate::command::SUCCESS;
use crate::config::parse_template_root;
use crate::failure::Failure;
use crate::global::GlobalArguments;
use crate::host::SystemHost;
use crate::output::report::manifest;
use crate::target::{FileArguments, FileModule, on_render_stack, read_bytes};
use crate::terminal::{Terminal, escape};

/// The name of a release that is given none (Helm: `helm template`).
const RELEASE_NAME: &str = "release-name";

/// What says how a chart is rendered. How a Module is, is said by its file.
const OF_CHARTS: [&str; 18] = [
    "chart",
    "release",
    "set",
    "set_string",
    "set_json",
    "set_file",
    "set_literal",
    "kube_version",
    "api_versions",
    "include_crds",
    "show_only",
    "output_dir",
    "release_name",
    "no_hooks",
    "skip_tests",
    "is_upgrade",
    "skip_schema_validation",
    "profile",
];

const EXAMPLES: &str = "\
Examples:
  # A chart, as helm template does
  kubectl module render shop charts/shop --values production.yaml --set replicas=4

  # The Module in a file, as the controller does
  kubectl module render -f apps/team-a/shop.yaml --offline";

/// Render a chart as `helm template` does, or a Module as the controller does
///
/// With a chart, prints what `helm template [NAME] CHART` prints. With -f FILE --offline, prints the resources of the
/// Module in the file, as they are; what other values would make of them is for `preview`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags")]
pub(crate) struct RenderArguments {
    /// Name of the release, if two are given, and folder or archive of the chart
    #[arg(value_name = "[NAME] CHART", conflicts_with_all = ["chart", "release", "offline"])]
    name_and_chart: Vec<String>,

    /// Folder or archive of the chart
    #[arg(long, value_name = "CHART")]
    chart: Option<PathBuf>,

    /// Name of the release (default: "release-name")
    #[arg(long, value_name = "NAME")]
    release: Option<String>,

    /// With a chart: file with values, can be repeated. Without: file with the Module
    #[arg(short = 'f', long = "filename", visible_alias = "values", value_name = "FILE", value_delimiter = ',')]
    files: Vec<PathBuf>,

    /// Render a Module's file on this machine
    #[arg(long, conflicts_with_all = OF_CHARTS)]
    offline: bool,

    /// Folder that holds a repository of templates, for --offline; can be repeated
    #[arg(long, value_name = "REPO=DIR", requires = "offline", value_parser = parse_template_root)]
    template_root: Vec<(String, PathBuf)>,

    /// Set values: PATH=VALUE, several separated by commas; can be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Set values that are texts, whatever they look like
    #[arg(long, value_name = "PATH=TEXT")]
    set_string: Vec<String>,

    /// Set values given as JSON
    #[arg(long, value_name = "PATH=JSON")]
    set_json: Vec<String>,

    /// Set values to the content of files
    #[arg(long, value_name = "PATH=FILE")]
    set_file: Vec<String>,

    /// Set a value to a text without reading commas or brackets in it
    #[arg(long, value_name = "PATH=TEXT")]
    set_literal: Vec<String>,

    /// Version of Kubernetes that templates see
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,

    /// API version that templates see besides the usual ones; can be repeated
    #[arg(short = 'a', long, value_name = "VERSION", value_delimiter = ',')]
    api_versions: Vec<String>,

    /// Print the custom resource definitions of the chart too
    #[arg(long)]
    include_crds: bool,

    /// Only what these template files give, such as templates/service.yaml; can be repeated
    #[arg(long, value_name = "FILE")]
    show_only: Vec<String>,

    /// Write files below this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,

    /// With --output-dir: put files into a folder of the release's name
    #[arg(long)]
    release_name: bool,

    /// Leave out hooks
    #[arg(long)]
    no_hooks: bool,

    /// Leave out hooks that are tests
    #[arg(long)]
    skip_tests: bool,

    /// Let templates see an upgrade instead of an installation
    #[arg(long)]
    is_upgrade: bool,

    /// Do not check the values against the chart's schema
    #[arg(long)]
    skip_schema_validation: bool,

    /// Helm release whose output is reproduced
    #[arg(long, value_name = "RELEASE", value_enum, default_value = "v4")]
    profile: HelmRelease,
}

/// The Helm releases that can be reproduced.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum HelmRelease {
    /// Helm 4.3
    V4,
    /// Helm 3.22
    V3,
}

impl HelmRelease {
    fn profile(self) -> Profile {
        match self {
            Self::V4 => Profile::V4,
            Self::V3 => Profile::V3,
        }
    }
}

impl RenderArguments {
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let text = match self.release_and_chart()? {
            Some((release, chart)) => on_render_stack(|| self.render_chart(release, chart, globals, terminal))??,
            None => self.render_module(globals)?,
        };
        terminal.print_bytes(text.as_bytes())?;
        Ok(SUCCESS)
    }

    /// The name of the release and the chart, unless a Module's file is to be rendered.
    fn release_and_chart(&self) -> Result<Option<(&str, &Path)>, Failure> {
        let release = self.release.as_deref().unwrap_or(RELEASE_NAME);
        match self.name_and_chart.as_slice() {
            [] => Ok(self.chart.as_deref().map(|chart| (release, chart))),
            [chart] => Ok(Some((release, Path::new(chart)))),
            [name, chart] => Ok(Some((name, Path::new(chart)))),
            [_, _, more @ ..] => {
                let more = more.join(", ");
                Err(Failure::usage(format!("expected at most two arguments, unexpected arguments: {more}")))
            }
        }
    }

    fn render_module(&self, globals: &GlobalArguments) -> Result<String, Failure> {
        let [file] = self.files.as_slice() else {
            return Err(Failure::usage("what to render? Give a chart, or a Module's file with -f FILE --offline"));
        };
        if !self.offline {
            return Err(Failure::usage("a Module's file is rendered with --offline"));
        }
        let file =
            FileArguments { filename: Some(file.clone()), offline: true, template_root: self.template_root.clone() };
        let module = FileModule::of(&file, globals)?;
        let expansion = module.expand()?;
        for warning in &expansion.warnings {
            eprintln!("Warning: {}", escape(warning));
        }
        Ok(expansion
            .resources
            .iter()
            .map(|resource| format!("---\n# Source: {}\n{}", resource.source, manifest(&resource.object)))
            .collect())
    }

    fn render_chart(
        &self,
        release: &str,
        chart: &Path,
        globals: &GlobalArguments,
        terminal: &Terminal,
    ) -> Result<String, Failure> {
        let profile = self.profile.profile();
        let values = self.values(profile)?;
        let chart = chart::read(chart, profile)?;
        check_name(release, profile)?;
        let host = SystemHost;
        let options = RenderOptions {
            release_name: release.to_owned(),
            namespace: globals.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            is_upgrade: self.is_upgrade,
            kube_version: self.kube_version.clone(),
            api_versions: self.api_versions.as_slice().into(),
            validate_schema: !self.skip_schema_validation,
            include_crds: self.include_crds,
            profile,
            ..RenderOptions::new(&host)
        };
        let rendered = renderer::render(&chart, &values, &options)?;
        for warning in &rendered.warnings {
            terminal.print_error(&format!("{}\n", escape(warning)));
        }
        self.select(rendered, release)
    }

    /// The values of files and flags.
    fn values(&self, profile: Profile) -> Result<Values, Failure> {
        let mut files = Vec::new();
        for file in &self.files {
            files.push((file.display().to_string(), read_bytes(file)?));
        }
        let options = ValueOptions {
            files,
            json: &self.set_json,
            typed: &self.set,
            strings: &self.set_string,
            file_contents: &self.set_file,
            literals: &self.set_literal,
        };
        Ok(options.merge(profile, &mut read_file)?)
    }

    /// The output without what flags leave out.
    fn select(&self, mut rendered: Rendered, release: &str) -> Result<String, Failure> {
        if self.no_hooks {
            rendered.hooks.clear();
        }
        if self.skip_tests {
            rendered.skip_tests();
        }
        let mut written = String::new();
        if let Some(folder) = &self.output_dir {
            written = OutputDirectory::new(folder, self.release_name.then_some(release)).write(&rendered)?;
            rendered.crds.clear();
            rendered.manifests.clear();
            rendered.hooks.clear();
        }
        let text = if self.show_only.is_empty() {
            rendered.to_helm_output()
        } else {
            let patterns: Vec<&str> = self.show_only.iter().map(String::as_str).collect();
            rendered.show_only(&patterns)?
        };
        Ok(written + &text)
    }
}
