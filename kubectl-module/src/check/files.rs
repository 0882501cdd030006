//! The objects in files: which files are looked at, and what in them is ours.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use renderer::yaml::{self, MAX_INPUT_BYTES, Node, NodeKind, Position};
use serde_json::Value;

use super::{Finding, Level, Place, Rule};
use crate::failure::Failure;
use crate::values_read;

/// Files in one check. The largest public GitOps repositories have some thousands.
pub(crate) const MAX_FILES: usize = 20_000;
/// Bytes of one file. A cluster stores objects of 1.5 MiB; a file can hold several.
pub(crate) const MAX_FILE_BYTES: u64 = 8 << 20;
/// Deeper folders than this are a mistake.
const MAX_FOLDER_DEPTH: usize = 32;

/// What standard input is called in messages.
pub(crate) const STANDARD_INPUT: &str = "<stdin>";

/// What files are that are looked for in folders.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// What makes a folder a chart: its files are templates, which are no YAML.
const CHART_FILE: &str = "Chart.yaml";

/// Files in which kustomize looks for what to do with the other files of a folder.
pub(crate) const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kinds that a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Module,
    ModulePolicy,
    TemplateStore,
}

/// An object in a file.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) kind: Kind,
    /// Where the file is.
    pub(crate) path: PathBuf,
    /// What the file is called in messages.
    pub(crate) shown: String,
    pub(crate) node: Node,
    pub(crate) object: Value,
    /// The namespace that the kustomization of the folder gives every object.
    kustomized: Option<String>,
}

/// A file or folder to look at.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it is called in messages.
    pub(crate) shown: PathBuf,
}

impl Root {
    /// Whether this stands for standard input.
    pub(crate) fn is_standard_input(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// What was found in some files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) documents: Vec<Document>,
    /// What could not be read.
    pub(crate) problems: Vec<Finding>,
    /// How many files were read.
    pub(crate) count: usize,
    /// Charts that were left out.
    pub(crate) charts: Vec<String>,
    /// The namespaces of kustomizations by folder.
    kustomized: BTreeMap<PathBuf, Option<String>>,
}

impl Kind {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Module, Self::ModulePolicy, Self::TemplateStore].into_iter().find(|kind| kind.name() == name)
    }

    /// The name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Module => "Module",
            Self::ModulePolicy => "ModulePolicy",
            Self::TemplateStore => "TemplateStore",
        }
    }

    fn group(self) -> &'static str {
        match self {
            Self::Module | Self::TemplateStore => module::api::GROUP,
            Self::ModulePolicy => module::policy::GROUP,
        }
    }
}

impl Document {
    /// `metadata.name`.
    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// The namespace, or the one for objects that name none. That of a kustomization comes before the object's own.
    pub(crate) fn namespace<'a>(&'a self, default: &'a str) -> &'a str {
        match (&self.kustomized, self.text("/metadata/namespace")) {
            (Some(namespace), _) => namespace,
            (None, "") => default,
            (None, namespace) => namespace,
        }
    }

    /// `Module team-a/shop`.
    pub(crate) fn label(&self, default_namespace: &str) -> String {
        match self.kind {
            Kind::ModulePolicy => format!("{} {}", self.kind.name(), self.name()),
            _ => format!("{} {}/{}", self.kind.name(), self.namespace(default_namespace), self.name()),
        }
    }

    fn text(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Where a field is.
    pub(crate) fn place(&self, field: &str) -> Place {
        Place { file: self.shown.clone(), position: Some(super::place::of_field(&self.node, field)) }
    }
}

impl Files {
    /// Reads everything in files and folders. What cannot be read is a problem, never left out.
    pub(crate) fn read(roots: &[Root]) -> Result<Self, Failure> {
        let mut files = Self::default();
        for root in roots {
            if root.path.is_dir() {
                files.folder(&root.path, &root.shown, 0)?;
            } else {
                files.file(&root.path, &root.shown)?;
            }
        }
        Ok(files)
    }

    fn folder(&mut self, folder: &Path, shown: &Path, depth: usize) -> Result<(), Failure> {
        if depth > MAX_FOLDER_DEPTH {
            self.problem(shown, None, format!("folders nest more than {MAX_FOLDER_DEPTH} deep"));
            return Ok(());
        }
        if folder.join(CHART_FILE).is_file() {
            self.charts.push(shown.display().to_string());
            return Ok(());
        }
        let mut entries = match fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => {
                self.problem(shown, None, format!("cannot be read: {error}"));
                return Ok(());
            }
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, shown) = (entry.path(), shown.join(entry.file_name()));
            // Links to folders are not followed, as by kubectl: they could lead in a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name() != ".git" {
                    self.folder(&path, &shown, depth + 1)?;
                }
            } else if is_looked_for(&path) && !path.is_dir() {
                self.file(&path, &shown)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, shown: &Path) -> Result<(), Failure> {
        self.count += 1;
        if self.count > MAX_FILES {
            return Err(Failure::usage(format!("there are more than {MAX_FILES} files; name fewer")));
        }
        let text = match read_limited(path) {
            Ok(text) => text,
            Err(problem) => {
                self.problem(shown, None, problem);
                return Ok(());
            }
        };
        let nodes = match yaml::parse_all(&text) {
            Ok(nodes) => nodes,
            Err(error) => {
                self.problem(shown, error.position(), format!("no valid YAML: {}", error.problem()));
                return Ok(());
            }
        };
        for node in nodes {
            self.object(node, path, shown);
        }
        Ok(())
    }

    /// Takes an object that is ours, or those of a list.
    fn object(&mut self, node: Node, path: &Path, shown: &Path) {
        let text = |key: &str| node.get(key).and_then(Node::coerced_text).unwrap_or_default();
        let (api_version, name) = (text("apiVersion"), text("kind"));
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let is_list = name == "List" || name.strip_suffix("List").is_some_and(|name| Kind::named(name).is_some());
        if is_list {
            if let NodeKind::Mapping(entries) = node.kind
                && let Some(items) = entries.into_iter().find(|entry| entry.key == "items")
                && let NodeKind::Sequence(items) = items.value.kind
            {
                for item in items {
                    self.object(item, path, shown);
                }
            }
            return;
        }
        let Some(kind) = Kind::named(&name).filter(|kind| kind.group() == group) else { return };
        let place = node.position;
        if version != module::api::VERSION {
            let known = format!("{group}/{}", module::api::VERSION);
            self.problem(shown, Some(place), format!("{api_version} is not known; write {known}"));
            return;
        }
        match values_read::to_json(node.clone()) {
            Ok(object) => {
                let kustomized = self.kustomized(path);
                let shown = shown.display().to_string();
                self.documents.push(Document { kind, path: path.to_owned(), shown, node, object, kustomized });
            }
            Err(error) => {
                let line = error.line().unwrap_or(place.line);
                self.problem(shown, Some(Position { line, column: 1 }), error.to_string());
            }
        }
    }

    /// The namespace that the kustomization beside a file gives. One that cannot be read is told of like any other file.
    fn kustomized(&mut self, file: &Path) -> Option<String> {
        let folder = file.parent()?;
        if let Some(known) = self.kustomized.get(folder) {
            return known.clone();
        }
        let namespace = kustomized_namespace(folder);
        self.kustomized.insert(folder.to_owned(), namespace.clone());
        namespace
    }

    fn problem(&mut self, shown: &Path, position: Option<Position>, message: String) {
        self.problems.push(Finding {
            place: Place { file: shown.display().to_string(), position },
            level: Level::Error,
            rule: Rule::Read,
            object: String::new(),
            field: String::new(),
            message,
        });
    }
}

/// Whether a file of this name is looked at in a folder.
pub(crate) fn is_looked_for(path: &Path) -> bool {
    path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
}

/// The namespace that the kustomization in a folder gives every object.
pub(crate) fn kustomized_namespace(folder: &Path) -> Option<String> {
    let mut files = KUSTOMIZATIONS.iter().map(|name| folder.join(name)).filter(|file| file.is_file());
    let found = files.find_map(|file| yaml::parse(&read_limited(&file).ok()?).ok())?;
    found.get("namespace")?.coerced_text().filter(|name| !name.is_empty())
}

fn read_limited(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        // A pipe that nobody writes to would be waited for.
        if !fs::metadata(path).map_err(cannot)?.is_file() {
            return Err("is no file".to_owned());
        }
        Box::new(fs::File::open(path).map_err(cannot)?)
    };
    let mut text = Vec::new();
    source.take(MAX_FILE_BYTES + 1).read_to_end(&mut text).map_err(cannot)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("has more than {MAX_FILE_BYTES} bytes, the most that is read of one file"));
    }
    Ok(text)
}

const _: () = assert!(MAX_FILE_BYTES <= MAX_INPUT_BYTES as u64, "the YAML reader takes what is read");

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = "apiVersion: cyclops-ui.com/v1alpha1\nkind: Module\nmetadata: {name: a}\n";

    fn read(files: &[(&str, &str)]) -> Files {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Files::read(&[Root { path: folder.path().to_owned(), shown: "apps".into() }]).unwrap()
    }

    #[test]
    fn other_objects_other_files_and_charts_are_left_alone() {
        let files = read(&[
            ("a/one.yaml", &format!("kind: Service\n---\n{MODULE}---\n- a list\n---\n")),
            ("a/other.yml", "apiVersion: kyma.example.com/v1\nkind: Module\n"),
            ("a/readme.md", "{{"),
            (".git/x.yaml", "{{"),
            ("chart/Chart.yaml", "name: x\n"),
            ("chart/templates/x.yaml", "{{ x }}: {"),
            (
                "list.json",
                r#"{"apiVersion": "v1", "kind": "List", "items": [{"kind": "ConfigMap"},
                {"apiVersion": "policy.cyclops-ui.com/v1alpha1", "kind": "ModulePolicy"}]}"#,
            ),
        ]);
        assert_eq!(files.problems, []);
        let found: Vec<_> = files.documents.iter().map(|found| (found.kind, found.shown.as_str())).collect();
        assert_eq!(found, [(Kind::Module, "apps/a/one.yaml"), (Kind::ModulePolicy, "apps/list.json")]);
        assert_eq!(files.documents[0].place("metadata.name").position, Some(Position { line: 5, column: 12 }));
        assert_eq!((files.count, files.charts), (3, vec!["apps/chart".to_owned()]));
    }

    #[test]
    fn a_kustomization_gives_the_namespace() {
        let named = MODULE.replace("{name: a}", "{name: a, namespace: own}");
        let files = read(&[
            ("a/kustomization.yml", "namespace: team-a\n"),
            ("a/x.yaml", &named),
            ("b/kustomization.yaml", "resources: [x.yaml]\n"),
            ("b/x.yaml", &named),
            ("c/x.yaml", MODULE),
        ]);
        let found: Vec<_> = files.documents.iter().map(|document| document.namespace("default")).collect();
        assert_eq!(found, ["team-a", "own", "default"]);
    }

    #[test]
    fn what_cannot_be_read_is_a_problem_with_a_place() {
        let files = read(&[
            ("a.yaml", "a: b\nc: d: e\n"),
            ("b.yaml", "apiVersion: cyclops-ui.com/v2\nkind: Module\n"),
            ("c.yaml", &format!("{MODULE}spec: {{values: {{a: .nan}}}}\n")),
        ]);
        let told: Vec<_> = files
            .problems
            .iter()
            .map(|problem| (problem.place.file.as_str(), problem.place.position.map(|place| place.line)))
            .collect();
        assert_eq!(told, [("apps/a.yaml", Some(2)), ("apps/b.yaml", Some(1)), ("apps/c.yaml", Some(4))]);
        assert_eq!(files.documents.len(), 0);
        let large = tempfile::NamedTempFile::new().unwrap();
        large.as_file().set_len(MAX_FILE_BYTES + 1).unwrap();
        let root = |path: &Path| Root { path: path.to_owned(), shown: "x".into() };
        let files = Files::read(&[root(large.path()), root(Path::new("/nowhere/x.yaml"))]).unwrap();
        let told: Vec<_> = files.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(
            told[0].starts_with("has more than 8388608 bytes") && told[1].starts_with("cannot be read: "),
            "{told:?}"
        );
    }
}
