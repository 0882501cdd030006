//! `kubectl module render`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use renderer::values::{self, Values, set};
use renderer::{Chart, Limits, Profile, RenderOptions, Rendered};
use template_source::{SourceLimits, read_chart_directory};

use crate::change::read_file;
use crate::command::SUCCESS;
use crate::config::parse_template_root;
use crate::failure::{CODE_ERROR, Failure};
use crate::global::GlobalArguments;
use crate::host::SystemHost;
use crate::output::report::manifest;
use crate::target::{FileArguments, FileModule, on_render_stack, read_text};
use crate::terminal::Terminal;

/// Render a chart as `helm template` does, or a Module as the controller does
///
/// With --chart, prints what `helm template NAME DIR` prints. With -f FILE --offline, prints the resources of the Module
/// in the file.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags")]
pub(crate) struct RenderArguments {
    /// Folder of the chart
    #[arg(long, value_name = "DIR")]
    chart: Option<PathBuf>,

    /// Name of the release
    #[arg(long, value_name = "NAME", default_value = "release-name")]
    release: String,

    /// With --chart: file with values, can be repeated. Without: file with the Module
    #[arg(short = 'f', long = "filename", visible_alias = "values", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Render a Module's file on this machine
    #[arg(long, conflicts_with = "chart")]
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
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    show_only: Vec<String>,

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
        let text = match &self.chart {
            Some(folder) => on_render_stack(|| self.render_chart(folder, globals))??,
            None => self.render_module(globals)?,
        };
        terminal.print_bytes(text.as_bytes())?;
        Ok(SUCCESS)
    }

    fn render_module(&self, globals: &GlobalArguments) -> Result<String, Failure> {
        let [file] = self.files.as_slice() else {
            return Err(Failure::usage("what to render? Give --chart DIR, or a Module's file with -f FILE --offline"));
        };
        if !self.offline {
            return Err(Failure::usage("a Module's file is rendered with --offline"));
        }
        let file =
            FileArguments { filename: Some(file.clone()), offline: true, template_root: self.template_root.clone() };
        let module = FileModule::of(&file, globals)?;
        let expansion = module.expand()?;
        for warning in &expansion.warnings {
            eprintln!("Warning: {}", crate::terminal::escape(warning));
        }
        Ok(expansion
            .resources
            .iter()
            .map(|resource| format!("---\n# Source: {}\n{}", resource.source, manifest(&resource.object)))
            .collect())
    }

    fn render_chart(&self, folder: &std::path::Path, globals: &GlobalArguments) -> Result<String, Failure> {
        if !folder.is_dir() {
            let problem = if folder.exists() { "is no folder" } else { "does not exist" };
            return Err(Failure::message(CODE_ERROR, format!("the chart {} {problem}", folder.display())));
        }
        let files = read_chart_directory(folder, SourceLimits::default())?;
        let profile = self.profile.profile();
        let chart =
            Chart::load_as(files, profile).with_context(|| format!("{} is no valid chart", folder.display()))?;
        let values = self.values()?;
        let host = SystemHost;
        let options = RenderOptions {
            release_name: self.release.clone(),
            namespace: globals.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            is_upgrade: self.is_upgrade,
            revision: 1,
            kube_version: self.kube_version.clone(),
            api_versions: self.api_versions.clone(),
            validate_schema: !self.skip_schema_validation,
            profile,
            limits: Limits::default(),
            host: &host,
        };
        let rendered = renderer::render(&chart, &values, &options)?;
        self.select(rendered)
    }

    /// The values of files and flags in Helm's order.
    fn values(&self) -> Result<Values, Failure> {
        let mut merged = Values::new();
        for file in &self.files {
            let read = values::from_yaml_as(read_text(file)?.as_bytes(), self.profile.profile())
                .with_context(|| format!("{} holds no values", file.display()))?;
            merged = values::merge(merged, read);
        }
        for text in &self.set_json {
            set::set_json(text, &mut merged).with_context(|| format!("failed parsing --set-json {text}"))?;
        }
        for text in &self.set {
            set::set(text, &mut merged).with_context(|| format!("failed parsing --set {text}"))?;
        }
        for text in &self.set_string {
            set::set_string(text, &mut merged).with_context(|| format!("failed parsing --set-string {text}"))?;
        }
        for text in &self.set_file {
            set::set_file(text, &mut merged, &mut read_file)
                .with_context(|| format!("failed parsing --set-file {text}"))?;
        }
        for text in &self.set_literal {
            set::set_literal(text, &mut merged).with_context(|| format!("failed parsing --set-literal {text}"))?;
        }
        Ok(merged)
    }

    /// The output without what flags leave out.
    fn select(&self, mut rendered: Rendered) -> Result<String, Failure> {
        if self.no_hooks {
            rendered.hooks.clear();
        }
        if self.skip_tests {
            rendered.hooks.retain(|hook| !hook.hooks.iter().any(|event| event == "test"));
        }
        if self.show_only.is_empty() {
            return Ok(rendered.to_helm_output(self.include_crds));
        }
        let patterns: Vec<&str> = self.show_only.iter().map(String::as_str).collect();
        Ok(rendered.show_only(&patterns, self.include_crds)?)
    }
}
