//! Our side: the renderer in this process.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use renderer::functions::FixedHost;
use renderer::release::check_name;
use renderer::render::render_files;
use renderer::values::{ValueOptions, Values};
use renderer::{Chart, ChartFile, Profile, RenderError, RenderOptions, Rendered, render};

use super::{Case, Outcome, PANIC};
use crate::oracle::Release;

/// Renders a case as that release does. Needs [`renderer::template::RENDER_STACK_BYTES`] of stack.
pub fn ours(case: &Case, release: Release) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| outcome(case, release))).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("{PANIC}{}", text.unwrap_or_default()))
    })
}

fn outcome(case: &Case, release: Release) -> Outcome {
    let profile = release.profile();
    if !case.kube_version.is_empty() {
        refuse_kube_version(case, profile)?;
    }
    let values = merged_values(case, profile)?;
    let chart = Chart::load_as(files(case), profile).map_err(|error| error.to_string())?;
    let host = FixedHost::default();
    let options = options(case, profile, &host);
    check_name(&options.release_name, profile).map_err(|error| error.to_string())?;
    if case.only_files {
        let files = render_files(&chart, &values, &options).map_err(|error| error.to_string())?;
        return Ok(as_json(&files));
    }
    let rendered = render(&chart, &values, &options).map_err(|error| error.to_string())?;
    select(case, rendered)
}

/// Helm looks at `--kube-version` before anything else; the renderer when it has a chart.
fn refuse_kube_version(case: &Case, profile: Profile) -> Result<(), String> {
    let metadata =
        ChartFile { name: "Chart.yaml".to_owned(), data: b"apiVersion: v2\nname: c\nversion: 0.1.0\n".to_vec() };
    let chart = Chart::load_as(vec![metadata], profile).map_err(|error| error.to_string())?;
    match render(&chart, &Values::new(), &options(case, profile, &FixedHost::default())) {
        Err(error @ RenderError::KubeVersion { .. }) => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn options<'a>(case: &Case, profile: Profile, host: &'a FixedHost) -> RenderOptions<'a> {
    let or = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
    RenderOptions {
        release_name: or(&case.release, "release-name"),
        namespace: or(&case.namespace, "default"),
        is_upgrade: case.is_upgrade,
        kube_version: (!case.kube_version.is_empty()).then(|| case.kube_version.clone()),
        api_versions: case.api_versions.as_slice().into(),
        include_crds: case.include_crds,
        profile,
        ..RenderOptions::new(host)
    }
}

/// The files in the order in which Helm walks a folder: by the names of each folder's entries.
fn files(case: &Case) -> Vec<ChartFile> {
    let mut files: Vec<ChartFile> = case
        .files
        .iter()
        .map(|(name, text)| ChartFile { name: name.clone(), data: text.as_bytes().to_vec() })
        .collect();
    files.sort_by(|one, other| one.name.split('/').cmp(other.name.split('/')));
    files
}

fn merged_values(case: &Case, profile: Profile) -> Result<Values, String> {
    let name = |(index, text): (usize, &String)| (format!("values-{index}.yaml"), text.as_bytes().to_vec());
    let options = ValueOptions {
        files: case.values.iter().enumerate().map(name).collect(),
        json: &case.set_json,
        typed: &case.set,
        strings: &case.set_string,
        file_contents: &[],
        literals: &case.set_literal,
    };
    options.merge(profile, &mut |_| Err(String::new())).map_err(|error| error.to_string())
}

fn select(case: &Case, mut rendered: Rendered) -> Outcome {
    if case.no_hooks {
        rendered.hooks.clear();
    }
    if case.skip_tests {
        rendered.skip_tests();
    }
    if case.show_only.is_empty() {
        return Ok(rendered.to_helm_output().into_bytes());
    }
    let patterns: Vec<&str> = case.show_only.iter().map(String::as_str).collect();
    rendered.show_only(&patterns).map(String::into_bytes).map_err(|error| error.to_string())
}

/// As Go's encoding/json writes a map of texts: a replacement character for each byte that is no UTF-8.
fn as_json(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let texts: BTreeMap<&str, String> = files
        .iter()
        .map(|(name, text)| {
            let mut valid = String::new();
            for chunk in text.utf8_chunks() {
                valid.push_str(chunk.valid());
                valid.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
            }
            (name.as_str(), valid)
        })
        .collect();
    serde_json::to_vec(&texts).unwrap_or_default()
}
