//! From rendered files to an ordered list of manifests and Helm's output text.

mod head;
mod name;
mod order;
mod show;
mod split;

pub use head::HeadError;
pub use name::{NameError, check_name};
pub use show::ShowOnlyError;

use std::collections::BTreeMap;

use crate::warning::Warnings;
use crate::yaml::Node;
use crate::{BudgetExceeded, Profile};
use head::Head;

/// One document of a rendered chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The template that produced it, such as `demo/templates/service.yaml`.
    pub source: String,
    /// The text as Helm prints it below the `# Source:` line.
    pub content: String,
    /// `apiVersion` of the document, empty if it has none.
    pub api_version: String,
    /// `kind` of the document, empty if it has none.
    pub kind: String,
    /// `metadata.name` of the document, empty if it has none.
    pub name: String,
    /// Events of a `helm.sh/hook` annotation; empty for an ordinary manifest.
    pub hooks: Vec<String>,
    /// What the text says, if it was asked for ([`crate::RenderOptions::keep_documents`]) and is one document of YAML.
    pub document: Option<Node>,
}

/// What a chart expands to, in Helm's install order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// Files below `crds/` if they were asked for, never templated; their heads are not read.
    pub crds: Vec<Manifest>,
    /// Ordinary manifests.
    pub manifests: Vec<Manifest>,
    /// Hooks.
    pub hooks: Vec<Manifest>,
    /// The rendered `templates/NOTES.txt` of the chart itself.
    pub notes: Option<String>,
    /// What Helm says on stderr while it renders, such as that a value was skipped.
    pub warnings: Vec<String>,
    profile: Profile,
}

impl Rendered {
    /// Leaves out the hooks that are tests, as `helm template --skip-tests` does.
    pub fn skip_tests(&mut self) {
        self.hooks.retain(|hook| hook.hooks.iter().all(|event| event != "test"));
    }

    /// What `helm template` prints.
    pub fn to_helm_output(&self) -> String {
        let mut body = String::new();
        for manifest in self.crds.iter().chain(&self.manifests) {
            print(&mut body, manifest);
        }
        let mut output = body.trim().to_owned();
        output.push('\n');
        for hook in &self.hooks {
            print(&mut output, hook);
        }
        output
    }

    /// What `helm template --show-only` prints: the documents whose template, without the chart's name, matches one of
    /// the patterns (`templates/*.yaml`), in the order of the patterns. An error if a pattern matches nothing.
    pub fn show_only(&self, patterns: &[&str]) -> Result<String, ShowOnlyError> {
        show::show_only(&self.to_helm_output(), patterns, self.profile.document_splitter)
    }
}

fn print(output: &mut String, manifest: &Manifest) {
    output.push_str("---\n# Source: ");
    output.push_str(&manifest.source);
    output.push('\n');
    output.push_str(&manifest.content);
    output.push('\n');
}

/// What all templates of a chart may print together. The largest public charts print some 2 MB; whatever is printed is
/// read as YAML, by Helm's rules and again by whoever applies it.
pub(crate) const MAX_OUTPUT_BYTES: usize = 16 << 20;
/// The most documents of a chart. The largest public charts have some hundreds.
const MAX_DOCUMENTS: usize = 20_000;

/// Cuts rendered files into documents and sorts them (Helm: `SortManifests`). `notes_path` is where the chart's own
/// notes are; the notes of sub-charts are dropped. `keep_documents`: manifests carry what was read of them.
pub(crate) fn assemble(
    files: BTreeMap<String, Vec<u8>>,
    crds: Vec<Manifest>,
    notes_path: &str,
    keep_documents: bool,
    profile: Profile,
    warnings: &Warnings,
) -> Result<Rendered, HeadError> {
    let (mut read, mut printed) = (0, 0);
    let mut rendered = Rendered { crds, profile, ..Rendered::default() };
    for (path, text) in files {
        if path.ends_with("NOTES.txt") {
            if path == notes_path {
                rendered.notes = Some(String::from_utf8_lossy(&text).into_owned());
            }
            continue;
        }
        if path.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
            continue;
        }
        for document in split::documents(&text, profile.document_splitter) {
            read += 1;
            if read > MAX_DOCUMENTS {
                let exceeded = BudgetExceeded::Documents { limit: MAX_DOCUMENTS };
                return Err(HeadError::TooMany { file: path, exceeded });
            }
            // Each document is printed below the name of its file.
            printed += path.len() + document.len();
            if printed > MAX_OUTPUT_BYTES {
                let exceeded = BudgetExceeded::Output { limit: MAX_OUTPUT_BYTES };
                return Err(HeadError::TooMany { file: path, exceeded });
            }
            let head = Head::read(document, &path, profile)?;
            let Some(hooks) = head.hooks(warnings) else { continue };
            let list = if hooks.is_empty() { &mut rendered.manifests } else { &mut rendered.hooks };
            list.push(Manifest {
                source: path.clone(),
                content: String::from_utf8_lossy(document).into_owned(),
                api_version: head.api_version,
                kind: head.kind,
                name: head.name,
                hooks,
                document: head.document.filter(|_| keep_documents),
            });
        }
    }
    order::sort_by_kind(&mut rendered.manifests, profile);
    order::sort_by_kind(&mut rendered.hooks, profile);
    Ok(rendered)
}

#[cfg(test)]
mod tests;
