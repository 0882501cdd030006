//! What a command is about: a Module in a cluster, or one in a file.
//!
//! Both answer the same questions in the same form. For a Module in a cluster the server answers, with the user's own
//! rights; for one in a file this program answers, with the code that the server uses.

mod live;
mod offline;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use module::ValuePath;
use module::path::Token;
use module::preview::{PreviewAnswer, Want};
use module::verdict::Refusal;
use serde_json::{Map, Value};

use crate::change::changed_leaves;
use crate::cluster::module_name;
use crate::config::parse_template_root;
use crate::failure::Failure;
use crate::global::GlobalArguments;
use crate::lock::Locks;
use crate::refusal;
use crate::schema::SchemaTree;

pub(crate) use live::{LiveModule, Written};
pub(crate) use offline::{
    FileModule, expand, is_standard_input, load, location, on_render_stack, read_bytes, read_text,
};

/// Where the Module is.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FileArguments {
    /// File with the Module, "-" for standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) filename: Option<PathBuf>,

    /// Ask no cluster: the file is the state now, and templates come from folders of this machine
    #[arg(long, requires = "filename")]
    pub(crate) offline: bool,

    /// Folder that holds a repository of templates, for --offline; can be repeated
    #[arg(long, value_name = "REPO=DIR", requires = "offline", value_parser = parse_template_root)]
    pub(crate) template_root: Vec<(String, PathBuf)>,
}

/// A Module and what answers for it.
pub(crate) enum Target {
    /// In a cluster.
    Live(Box<LiveModule>),
    /// In a file.
    File(Box<FileModule>),
}

impl Target {
    /// Finds the Module that flags and arguments name.
    pub(crate) fn find(name: Option<&str>, file: &FileArguments, globals: &GlobalArguments) -> Result<Self, Failure> {
        match (name, &file.filename) {
            (None, Some(_)) if file.offline => FileModule::of(file, globals).map(|module| Self::File(Box::new(module))),
            (Some(_), Some(_)) => Err(Failure::usage("give either a NAME or -f FILE")),
            (Some(name), _) => LiveModule::fetch(module_name(name)?, globals).map(Self::live),
            (None, Some(path)) => LiveModule::of_file(path, globals).map(Self::live),
            (None, None) => Err(Failure::usage("which Module? Give its NAME, or its file with -f FILE --offline")),
        }
    }

    fn live(module: LiveModule) -> Self {
        Self::Live(Box::new(module))
    }

    /// The Module's name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Live(module) => module.name(),
            Self::File(module) => module.name(),
        }
    }

    /// The Module's namespace.
    pub(crate) fn namespace(&self) -> &str {
        match self {
            Self::Live(module) => module.namespace(),
            Self::File(module) => module.namespace(),
        }
    }

    /// The Module as it is now.
    pub(crate) fn object(&self) -> &Value {
        match self {
            Self::Live(module) => module.object(),
            Self::File(module) => module.object(),
        }
    }

    /// The Module as kubectl names it.
    pub(crate) fn shown_name(&self) -> String {
        format!("module.cyclops-ui.com/{}", self.name())
    }

    /// A change of the Module that is refused.
    pub(crate) fn refused(&self, refusal: &Refusal) -> Failure {
        let failure = refusal::failure(&format!("{}/{}", self.namespace(), self.name()), refusal);
        let hint = match self {
            Self::File(module) if refusal.ground.is_lock() => module.writer_hint(),
            _ => None,
        };
        hint.into_iter().fold(failure, Failure::hint)
    }

    /// The Module as it is by now.
    pub(crate) fn refreshed(&self) -> Result<Self, Failure> {
        match self {
            Self::Live(module) => module.refreshed().map(Self::live),
            Self::File(module) => module.refreshed().map(|module| Self::File(Box::new(module))),
        }
    }

    /// The Module's own values.
    pub(crate) fn values(&self) -> Result<Map<String, Value>, Failure> {
        match self.object().pointer("/spec/values") {
            Some(Value::Object(values)) => Ok(values.clone()),
            None | Some(Value::Null) => Ok(Map::new()),
            Some(_) => Err(Failure::message(
                crate::failure::CODE_ERROR,
                format!("spec.values of module {} must be a map", self.name()),
            )),
        }
    }

    /// The Module's spec with other values.
    pub(crate) fn spec_with(&self, values: &Map<String, Value>) -> Value {
        let mut spec = self.object().get("spec").cloned().unwrap_or_default();
        if !spec.is_object() {
            spec = Value::Object(Map::new());
        }
        spec["values"] = Value::Object(values.clone());
        spec
    }

    /// The spec that the file named with -f wants a Module of a cluster to have.
    pub(crate) fn wanted_spec(&self) -> Option<Value> {
        match self {
            Self::Live(module) => module.wanted().cloned(),
            Self::File(_) => None,
        }
    }

    /// Asks what a spec would do, or about the Module as it is.
    pub(crate) fn ask(&self, spec: Option<&Value>, want: &[Want]) -> Result<PreviewAnswer, Failure> {
        match self {
            Self::Live(module) => module.ask(spec, want),
            Self::File(module) => module.ask(spec, want),
        }
    }
}

/// What is known about the values of a template.
#[derive(Clone, Debug, Default)]
pub(crate) struct TemplateKnowledge {
    /// Its schema.
    pub(crate) schema: SchemaTree,
    /// What it locks.
    pub(crate) locks: Locks,
    /// What it sets where the Module does not.
    pub(crate) defaults: Value,
    /// What counts: the Module's values over the defaults.
    pub(crate) effective: Value,
    /// Who may change locked values, as a phrase; none if nobody may.
    pub(crate) writers: Option<String>,
}

impl TemplateKnowledge {
    /// Reads an answer that was asked for the schema.
    pub(crate) fn new(answer: &PreviewAnswer) -> Self {
        Self {
            schema: schema_tree("", answer),
            locks: Locks::new(&answer.locks),
            defaults: answer.defaults.clone().unwrap_or_default(),
            effective: answer.values_now.clone().unwrap_or_default(),
            writers: answer.writers.clone(),
        }
    }

    /// Warnings about values that are set though the template has no such values: mostly they are misspelt.
    pub(crate) fn doubts(&self, old: &Value, new: &Value) -> BTreeSet<String> {
        changed_leaves(old, new).iter().filter_map(|path| self.doubt(path)).collect()
    }

    fn doubt(&self, path: &ValuePath) -> Option<String> {
        path.tokens().iter().enumerate().find_map(|(depth, token)| {
            let Token::Key(key) = token else { return None };
            let inside = ValuePath::from(path.tokens()[..depth].to_vec());
            let value = inside.key(key);
            let is_left_out = value.get(&self.effective).is_none() && self.schema.leaves_out(key, &inside);
            is_left_out.then(|| {
                let place = if inside.is_root() { "it has".to_owned() } else { format!("{inside} has") };
                format!("the template describes no value {value}; {place}: {}", self.schema.keys(&inside).join(", "))
            })
        })
    }
}

/// The schemas of an answer as a tree: a sub-chart belongs to the longest path that its own begins with.
fn schema_tree(prefix: &str, answer: &PreviewAnswer) -> SchemaTree {
    let root = match prefix {
        "" => answer.schema.clone(),
        _ => answer.sub_chart_schemas.get(prefix).cloned(),
    };
    let below = |path: &str| {
        let rest = if prefix.is_empty() { Some(path) } else { path.strip_prefix(prefix)?.strip_prefix('/') };
        rest.and_then(|rest| rest.split('/').next()).map(str::to_owned)
    };
    let names: BTreeSet<String> = answer.sub_chart_schemas.keys().filter_map(|path| below(path)).collect();
    let children = names.into_iter().map(|name| {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let tree = schema_tree(&path, answer);
        (name, tree)
    });
    SchemaTree::new(root.unwrap_or_default(), children.collect())
}
