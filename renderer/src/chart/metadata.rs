//! `Chart.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use super::decode::{Structure, TypeMismatch};
use crate::Profile;
use crate::profile::TypeNames;
use crate::quote::{is_print, quote};
use crate::semver::Version;
use crate::yaml::{self, Node, NodeKind, YamlError};

/// The content of `Chart.yaml`. Texts are empty where the file has nothing; lists are none if the file has no such key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// `apiVersion`: `v1` or `v2`.
    pub api_version: String,
    /// `name`.
    pub name: String,
    /// `version`, a semantic version.
    pub version: String,
    /// `kubeVersion`, a constraint.
    pub kube_version: String,
    /// `description`.
    pub description: String,
    /// `type`: empty, `application` or `library`.
    pub chart_type: String,
    /// `home`, a URL.
    pub home: String,
    /// `icon`, a URL.
    pub icon: String,
    /// `appVersion`.
    pub app_version: String,
    /// `condition`.
    pub condition: String,
    /// `tags`.
    pub tags: String,
    /// `deprecated`.
    pub deprecated: bool,
    /// `keywords`.
    pub keywords: Option<Vec<String>>,
    /// `sources`, URLs.
    pub sources: Option<Vec<String>>,
    /// `maintainers`.
    pub maintainers: Option<Vec<Maintainer>>,
    /// `annotations`.
    pub annotations: Option<BTreeMap<String, String>>,
    /// `dependencies`.
    pub dependencies: Option<Vec<Dependency>>,
}

/// An element of `maintainers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// `name`.
    pub name: String,
    /// `email`.
    pub email: String,
    /// `url`.
    pub url: String,
}

/// An element of `dependencies`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// `name` of the sub-chart.
    pub name: String,
    /// `version`, a constraint.
    pub version: String,
    /// `repository`, a URL.
    pub repository: String,
    /// `condition`: paths into the values, separated by commas, that switch the sub-chart on or off.
    pub condition: String,
    /// `tags`: keys of `tags` in the values that do the same.
    pub tags: Option<Vec<String>>,
    /// `enabled`; Helm overwrites it before anything can read it.
    pub enabled: bool,
    /// `import-values`.
    pub import_values: Option<Vec<ImportValue>>,
    /// `alias`: the name under which the sub-chart is rendered.
    pub alias: String,
}

/// An element of `import-values`.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportValue {
    /// A key below the sub-chart's `exports`.
    Export(String),
    /// A map of the sub-chart and where it goes in the parent.
    Path {
        /// Dotted path in the sub-chart's values.
        child: String,
        /// Dotted path in the parent's values; `.` is the root.
        parent: String,
    },
    /// Anything else; it has no effect.
    Other,
}

/// Why a `Chart.yaml` cannot be used. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A value of the wrong type.
    #[error(transparent)]
    Type(#[from] TypeMismatch),
}

/// What Helm's validation refuses. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// No API version: there is `requirements.yaml` but no `Chart.yaml`.
    #[error("validation: chart.metadata.apiVersion is required")]
    ApiVersionMissing,
    /// No name.
    #[error("validation: chart.metadata.name is required")]
    NameMissing,
    /// The name is `.` or `..`.
    #[error("validation: chart.metadata.name {} is not allowed", quote(.name.as_bytes()))]
    NameNotAllowed {
        /// The name.
        name: String,
    },
    /// The name contains a path separator.
    #[error("validation: chart.metadata.name {} is invalid", quote(.name.as_bytes()))]
    NameInvalid {
        /// The name.
        name: String,
    },
    /// No version.
    #[error("validation: chart.metadata.version is required")]
    VersionMissing,
    /// The version is no semantic version.
    #[error("validation: chart.metadata.version {} is invalid", quote(.version.as_bytes()))]
    VersionInvalid {
        /// The version.
        version: String,
    },
    /// An unknown type.
    #[error("validation: chart.metadata.type must be application or library")]
    TypeInvalid,
    /// A null in `maintainers`.
    #[error("validation: maintainers must not contain empty or null nodes")]
    EmptyMaintainer,
    /// A null in `dependencies`.
    #[error("validation: dependencies must not contain empty or null nodes")]
    EmptyDependency,
    /// An alias that cannot be a name.
    #[error("validation: dependency {} has disallowed characters in the alias", quote(.name.as_bytes()))]
    AliasInvalid {
        /// The dependency's name.
        name: String,
    },
    /// Two dependencies would be rendered under one name.
    #[error("validation: more than one dependency with name or alias {}", quote(.name.as_bytes()))]
    DuplicateDependency {
        /// The name or alias.
        name: String,
    },
}

/// A `Chart.yaml` as read, in which lists can still contain nulls.
#[derive(Debug)]
pub(super) struct RawMetadata {
    metadata: Metadata,
    null_maintainer: bool,
    null_dependency: bool,
    types: &'static TypeNames,
}

impl RawMetadata {
    pub(super) fn new(profile: Profile) -> Self {
        let types = profile.types;
        Self { metadata: Metadata::default(), null_maintainer: false, null_dependency: false, types }
    }

    /// Reads `Chart.yaml`, or `requirements.yaml` on top of it: what a file does not mention stays.
    pub(super) fn read(&mut self, text: &[u8]) -> Result<(), MetadataError> {
        let node = yaml::parse(text)?;
        let Some(root) = Structure::root(&node, self.types.metadata)? else { return Ok(()) };
        // Go decodes the fields in the order of their names and tells the first that does not fit.
        let mut mismatches = BTreeMap::new();
        let metadata = &mut self.metadata;
        for (name, target) in [
            ("apiVersion", &mut metadata.api_version),
            ("name", &mut metadata.name),
            ("version", &mut metadata.version),
            ("kubeVersion", &mut metadata.kube_version),
            ("description", &mut metadata.description),
            ("type", &mut metadata.chart_type),
            ("home", &mut metadata.home),
            ("icon", &mut metadata.icon),
            ("appVersion", &mut metadata.app_version),
            ("condition", &mut metadata.condition),
            ("tags", &mut metadata.tags),
        ] {
            match root.field(name).map(|field| field.string()).transpose() {
                Ok(Some(text)) => *target = text,
                Ok(None) => {}
                Err(mismatch) => drop(mismatches.insert(name, mismatch)),
            }
        }
        match root.bool("deprecated") {
            Ok(deprecated) if root.field("deprecated").is_some() => metadata.deprecated = deprecated,
            Ok(_) => {}
            Err(mismatch) => drop(mismatches.insert("deprecated", mismatch)),
        }
        for (name, target) in [("keywords", &mut metadata.keywords), ("sources", &mut metadata.sources)] {
            match root.strings(name) {
                Ok(Some(strings)) => *target = Some(strings),
                Ok(None) => {}
                Err(mismatch) => drop(mismatches.insert(name, mismatch)),
            }
        }
        match root.string_map("annotations") {
            Ok(Some(annotations)) => metadata.annotations.get_or_insert_default().extend(annotations),
            Ok(None) => {}
            Err(mismatch) => drop(mismatches.insert("annotations", mismatch)),
        }
        if let Err(mismatch) = self.read_maintainers(&root) {
            mismatches.insert("maintainers", mismatch);
        }
        if let Err(mismatch) = self.read_dependencies(&root) {
            mismatches.insert("dependencies", mismatch);
        }
        mismatches.into_values().next().map_or(Ok(()), |mismatch| Err(mismatch.into()))
    }

    fn read_maintainers(&mut self, root: &Structure<'_>) -> Result<(), TypeMismatch> {
        let Some(field) = root.field("maintainers") else { return Ok(()) };
        let mut maintainers = Vec::new();
        for item in field.items(self.types.maintainers)? {
            match item.structure("Maintainer", self.types.maintainer)? {
                None => self.null_maintainer = true,
                Some(item) => maintainers.push(Maintainer {
                    name: item.string("name")?,
                    email: item.string("email")?,
                    url: item.string("url")?,
                }),
            }
        }
        self.metadata.maintainers = Some(maintainers);
        Ok(())
    }

    fn read_dependencies(&mut self, root: &Structure<'_>) -> Result<(), TypeMismatch> {
        let Some(field) = root.field("dependencies") else { return Ok(()) };
        let mut dependencies = Vec::new();
        for item in field.items(self.types.dependencies)? {
            match item.structure("Dependency", self.types.dependency)? {
                None => self.null_dependency = true,
                Some(item) => dependencies.push(dependency(&item)?),
            }
        }
        self.metadata.dependencies = Some(dependencies);
        Ok(())
    }

    /// A `Chart.yaml` without `apiVersion` is of version 1.
    pub(super) fn default_api_version(&mut self) {
        if self.metadata.api_version.is_empty() {
            "v1".clone_into(&mut self.metadata.api_version);
        }
    }

    /// Whether dependencies stand in `requirements.yaml`.
    pub(super) fn is_v1(&self) -> bool {
        self.metadata.api_version == "v1"
    }

    /// Cleans the texts and checks the whole (Helm: `Metadata.Validate`).
    pub(super) fn validate(self) -> Result<Metadata, ValidationError> {
        let mut metadata = self.metadata;
        for text in [
            &mut metadata.name,
            &mut metadata.description,
            &mut metadata.home,
            &mut metadata.icon,
            &mut metadata.condition,
            &mut metadata.tags,
            &mut metadata.app_version,
            &mut metadata.kube_version,
        ] {
            sanitize(text);
        }
        metadata.sources.iter_mut().chain(&mut metadata.keywords).flatten().for_each(sanitize);
        if metadata.api_version.is_empty() {
            return Err(ValidationError::ApiVersionMissing);
        }
        let name = &metadata.name;
        if name.is_empty() {
            return Err(ValidationError::NameMissing);
        }
        if name == "." || name == ".." {
            return Err(ValidationError::NameNotAllowed { name: name.clone() });
        }
        if name.contains('/') {
            return Err(ValidationError::NameInvalid { name: name.clone() });
        }
        if metadata.version.is_empty() {
            return Err(ValidationError::VersionMissing);
        }
        if Version::parse(&metadata.version).is_err() {
            return Err(ValidationError::VersionInvalid { version: metadata.version });
        }
        if !matches!(metadata.chart_type.as_str(), "" | "application" | "library") {
            return Err(ValidationError::TypeInvalid);
        }
        if self.null_maintainer {
            return Err(ValidationError::EmptyMaintainer);
        }
        for maintainer in metadata.maintainers.iter_mut().flatten() {
            [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url].into_iter().for_each(sanitize);
        }
        if self.null_dependency {
            return Err(ValidationError::EmptyDependency);
        }
        let mut names = BTreeSet::new();
        for dependency in metadata.dependencies.iter_mut().flatten() {
            [&mut dependency.name, &mut dependency.version, &mut dependency.repository, &mut dependency.condition]
                .into_iter()
                .chain(dependency.tags.iter_mut().flatten())
                .for_each(sanitize);
            let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
            if !dependency.alias.chars().all(allowed) {
                return Err(ValidationError::AliasInvalid { name: dependency.name.clone() });
            }
            let name = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if !names.insert(name.clone()) {
                return Err(ValidationError::DuplicateDependency { name: name.clone() });
            }
        }
        Ok(metadata)
    }
}

fn dependency(item: &Structure<'_>) -> Result<Dependency, TypeMismatch> {
    let import_values = match item.field("import-values") {
        None => None,
        Some(field) => Some(field.items("[]interface {}")?.iter().map(|item| import_value(item.node)).collect()),
    };
    Ok(Dependency {
        name: item.string("name")?,
        version: item.string("version")?,
        repository: item.string("repository")?,
        condition: item.string("condition")?,
        tags: item.strings("tags")?,
        enabled: item.bool("enabled")?,
        import_values,
        alias: item.string("alias")?,
    })
}

fn import_value(node: &Node) -> ImportValue {
    match &node.kind {
        NodeKind::String(name) => ImportValue::Export(name.clone()),
        NodeKind::Mapping(_) => {
            let path = |key: &str| match node.get(key) {
                None => "<nil>".to_owned(),
                Some(value) => value.coerced_text().unwrap_or_else(|| "<nil>".to_owned()),
            };
            ImportValue::Path { child: path("child"), parent: path("parent") }
        }
        _ => ImportValue::Other,
    }
}

/// Every kind of space becomes a plain space, and what cannot be printed goes (Helm: `sanitizeString`).
fn sanitize(text: &mut String) {
    if text.chars().all(|character| (' '..='~').contains(&character)) {
        return;
    }
    *text = text
        .chars()
        .filter_map(|character| match character {
            _ if character.is_whitespace() => Some(' '),
            _ if is_print(character) => Some(character),
            _ => None,
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Metadata, String> {
        let mut raw = RawMetadata::new(Profile::V4);
        raw.read(text.as_bytes()).map_err(|error| error.to_string())?;
        raw.default_api_version();
        raw.validate().map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_helm_reads() {
        let metadata = read(
            "NAME: a\nname: demo\nversion: 1.2.3\nappVersion: 1.10\nunknown: [1]\nkeywords: [1, true, null]\n\
             annotations: {a: 1e3, b: yes}\nmaintainers:\n- {Name: Jo, email: null}\n",
        )
        .unwrap();
        assert_eq!(metadata.api_version, "v1");
        assert_eq!(metadata.name, "demo");
        assert_eq!(metadata.app_version, "1.1");
        assert_eq!(metadata.keywords, Some(vec!["1".to_owned(), "true".to_owned(), String::new()]));
        let annotations = metadata.annotations.unwrap();
        assert_eq!((annotations["a"].as_str(), annotations["b"].as_str()), ("1000", "true"));
        assert_eq!(metadata.maintainers.unwrap()[0].name, "Jo");
        assert_eq!(metadata.dependencies, None);
    }

    #[test]
    fn explains_what_is_wrong() {
        let prefix = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal";
        for (text, expected) in [
            ("", "validation: chart.metadata.name is required".to_owned()),
            ("a", format!("{prefix} string into Go value of type v2.Metadata")),
            ("name: [a]", format!("{prefix} array into Go struct field Metadata.name of type string")),
            (
                "maintainers: [{name: [a]}]",
                format!("{prefix} array into Go struct field Maintainer.maintainers.name of type string"),
            ),
            ("deprecated: 'yes'", format!("{prefix} string into Go struct field Metadata.deprecated of type bool")),
            ("name: ..", "validation: chart.metadata.name \"..\" is not allowed".to_owned()),
            ("name: a/b", "validation: chart.metadata.name \"a/b\" is invalid".to_owned()),
            ("name: a", "validation: chart.metadata.version is required".to_owned()),
            ("{name: a, version: x}", "validation: chart.metadata.version \"x\" is invalid".to_owned()),
            (
                "{name: a, version: 1, type: lib}",
                "validation: chart.metadata.type must be application or library".to_owned(),
            ),
            (
                "{name: a, version: 1, maintainers: [null]}",
                "validation: maintainers must not contain empty or null nodes".to_owned(),
            ),
            (
                "{name: a, version: 1, dependencies: [null]}",
                "validation: dependencies must not contain empty or null nodes".to_owned(),
            ),
            (
                "{name: a, version: 1, dependencies: [{name: b, alias: c.d}]}",
                "validation: dependency \"b\" has disallowed characters in the alias".to_owned(),
            ),
            (
                "{name: a, version: 1, dependencies: [{name: b}, {name: c, alias: b}]}",
                "validation: more than one dependency with name or alias \"b\"".to_owned(),
            ),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn cleans_texts() {
        assert_eq!(read("name: \"a\\u00a0\\u200bb\"\nversion: 1").unwrap().name, "a b");
    }
}
