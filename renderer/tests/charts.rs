//! Whole charts with what Helm 4.3.1 and Helm 3.22.0 answer (`fixtures/charts/`).

mod format;

use std::fmt::Write;

use format::{Case, pack};
use renderer::functions::FixedHost;
use renderer::release::check_name;
use renderer::values::ValueOptions;
use renderer::{Chart, ChartFile, Profile, RenderOptions, render};

const FILES: &[(&str, &str)] = &[
    ("chart-yaml", include_str!("fixtures/charts/chart-yaml.txt")),
    ("dependencies", include_str!("fixtures/charts/dependencies.txt")),
    ("failures", include_str!("fixtures/charts/failures.txt")),
    ("loading", include_str!("fixtures/charts/loading.txt")),
    ("nulls", include_str!("fixtures/charts/nulls.txt")),
    ("output", include_str!("fixtures/charts/output.txt")),
    ("schema", include_str!("fixtures/charts/schema.txt")),
    ("values", include_str!("fixtures/charts/values.txt")),
];

#[test]
fn charts_give_what_helm_gives() {
    let mut failures = String::new();
    let mut count = 0;
    for (file, text) in FILES {
        for case in Case::read(text).into_iter().filter(|case| !case.has("plugin")) {
            for (release, profile) in [("v4", Profile::V4), ("v3", Profile::V3)] {
                let expected = case.answer(release);
                let found = answer(&case, profile);
                count += 1;
                if !case.agrees(expected, &found) {
                    writeln!(failures, "{file}: {}, {release}\n  helm {expected:?}\n  ours {found:?}", case.name)
                        .unwrap();
                }
            }
        }
    }
    assert!(count > 100, "only {count} cases were found");
    assert!(failures.is_empty(), "\n{failures}");
}

/// What `helm template` would print, or say after `Error: `.
fn answer(case: &Case, profile: Profile) -> Result<String, String> {
    let mut flags = Flags::default();
    let mut arguments = case.flags.iter();
    while let Some(flag) = arguments.next() {
        match flags.switch(flag) {
            Some(switch) => *switch = true,
            None => flags.list(flag).unwrap().push(arguments.next().unwrap().clone()),
        }
    }
    let missing = |path: &str| format!("open {path}: no such file or directory");
    let mut files = Vec::new();
    for path in &flags.values {
        files.push((path.clone(), case.beside.get(path).ok_or_else(|| missing(path))?.clone().into_bytes()));
    }
    let options = ValueOptions {
        files,
        json: &flags.set_json,
        typed: &flags.set,
        strings: &flags.set_string,
        file_contents: &flags.set_file,
        literals: &flags.set_literal,
    };
    let mut read = |path: &str| case.beside.get(path).cloned().ok_or_else(|| missing(path));
    let values = options.merge(profile, &mut read).map_err(|error| error.to_string())?;
    let chart = load(case, profile)?;
    let host = FixedHost::default();
    if let Some(name) = case.release_name() {
        check_name(name, profile).map_err(|error| error.to_string())?;
    }
    let options = RenderOptions {
        release_name: case.release_name().unwrap_or("release-name").to_owned(),
        namespace: flags.namespace.first().map_or("default", String::as_str).to_owned(),
        is_upgrade: flags.is_upgrade,
        kube_version: flags.kube_version.first().cloned(),
        api_versions: flags.api_versions.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect(),
        validate_schema: !flags.skip_schema_validation,
        include_crds: flags.include_crds,
        profile,
        ..RenderOptions::new(&host)
    };
    let mut rendered = render(&chart, &values, &options).map_err(|error| error.to_string().trim_end().to_owned())?;
    if flags.no_hooks {
        rendered.hooks.clear();
    }
    if flags.skip_tests {
        rendered.skip_tests();
    }
    if flags.show_only.is_empty() {
        return Ok(rendered.to_helm_output());
    }
    let patterns: Vec<&str> = flags.show_only.iter().map(String::as_str).collect();
    rendered.show_only(&patterns).map_err(|error| error.to_string())
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of `helm template`")]
struct Flags {
    values: Vec<String>,
    set: Vec<String>,
    set_string: Vec<String>,
    set_json: Vec<String>,
    set_file: Vec<String>,
    set_literal: Vec<String>,
    show_only: Vec<String>,
    api_versions: Vec<String>,
    kube_version: Vec<String>,
    namespace: Vec<String>,
    include_crds: bool,
    no_hooks: bool,
    skip_tests: bool,
    is_upgrade: bool,
    skip_schema_validation: bool,
}

impl Flags {
    fn switch(&mut self, flag: &str) -> Option<&mut bool> {
        match flag {
            "--include-crds" => Some(&mut self.include_crds),
            "--no-hooks" => Some(&mut self.no_hooks),
            "--skip-tests" => Some(&mut self.skip_tests),
            "--is-upgrade" => Some(&mut self.is_upgrade),
            "--skip-schema-validation" => Some(&mut self.skip_schema_validation),
            _ => None,
        }
    }

    fn list(&mut self, flag: &str) -> Option<&mut Vec<String>> {
        match flag {
            "--values" => Some(&mut self.values),
            "--set" => Some(&mut self.set),
            "--set-string" => Some(&mut self.set_string),
            "--set-json" => Some(&mut self.set_json),
            "--set-file" => Some(&mut self.set_file),
            "--set-literal" => Some(&mut self.set_literal),
            "--show-only" => Some(&mut self.show_only),
            "--api-versions" => Some(&mut self.api_versions),
            "--kube-version" => Some(&mut self.kube_version),
            "--namespace" => Some(&mut self.namespace),
            _ => None,
        }
    }
}

fn load(case: &Case, profile: Profile) -> Result<Chart, String> {
    let files = case.files();
    let loaded = if case.has("archive") {
        let files: Vec<(String, Vec<u8>)> =
            files.into_iter().map(|(name, data)| (format!("chart/{name}"), data)).collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, data)| (name.as_str(), data.as_slice())).collect();
        Chart::load_archive_as(&pack(&files), profile)
    } else {
        Chart::load_as(files.into_iter().map(|(name, data)| ChartFile { name, data }).collect(), profile)
    };
    loaded.map_err(|error| error.to_string())
}
