//! The table of the suite, `tests/fixtures/bypass/vectors.yaml`: what it may say, and what it has to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

/// The last vector of the catalogue.
const VECTORS: u8 = 84;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Table {
    pub(crate) identities: BTreeMap<String, Identity>,
    pub(crate) policies: BTreeMap<String, Policy>,
    pub(crate) setups: BTreeMap<String, Setup>,
    pub(crate) rows: Vec<Row>,
    /// Vectors without a row, with the reason.
    pub(crate) not_driven: BTreeMap<Vector, String>,
    /// Setups on which others build.
    #[serde(skip)]
    bases: BTreeSet<String>,
}

/// A way round the locks, by its number in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Vector(u8);

/// How a client proves who it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum Identity {
    /// A context of the cluster's kubeconfig.
    Context(String),
    /// A service account, `namespace/name`, with a token that the API server issues.
    ServiceAccount(String),
    /// Somebody, an administrator if nobody is named, who impersonates this user.
    Impersonates {
        user: String,
        #[serde(default)]
        groups: Vec<String>,
        #[serde(default)]
        by: Option<String>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Policy {
    /// The policy is made only after the Modules.
    #[serde(default)]
    pub(crate) late: bool,
    pub(crate) spec: Value,
}

/// A Module before the write, and how it came to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Setup {
    /// Another setup, on which this one builds.
    #[serde(default)]
    pub(crate) from: Option<String>,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    /// Who creates it.
    #[serde(default, rename = "as")]
    pub(crate) identity: Option<String>,
    /// Created by server-side apply under this name.
    #[serde(default)]
    pub(crate) manager: Option<String>,
    /// The Module, or what it has besides that of `from`, as a merge patch.
    #[serde(default = "nothing")]
    pub(crate) module: Value,
    /// Writes that follow the creation; all of them are allowed.
    #[serde(default)]
    pub(crate) then: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Step {
    #[serde(rename = "as")]
    pub(crate) identity: String,
    pub(crate) write: Write,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Row {
    pub(crate) vector: Vector,
    /// What is tried, where the write does not say it.
    #[serde(default)]
    pub(crate) what: Option<String>,
    #[serde(default = "default_setup")]
    pub(crate) setup: String,
    #[serde(rename = "as", default = "default_identity")]
    pub(crate) identity: String,
    pub(crate) write: Write,
    /// The kinds of writes that bring a `change` or a `status` about.
    #[serde(default = "default_ways")]
    pub(crate) ways: Vec<Way>,
    /// The field manager of the writes.
    #[serde(default)]
    pub(crate) manager: Option<String>,
    #[serde(default = "default_through")]
    pub(crate) through: Vec<Client>,
    #[serde(default = "default_dry_run")]
    pub(crate) dry_run: Vec<bool>,
    #[serde(default)]
    pub(crate) hooks: Hooks,
    pub(crate) expect: Expect,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum Write {
    /// A merge patch that says what becomes of the Module, whatever the kind of write.
    Change(Value),
    /// The same for the status subresource.
    Status(Value),
    /// The body of a JSON patch.
    Json(Value),
    /// The body of a merge patch, as text: it may be what no JSON library would write.
    Raw(String),
    /// The body of a strategic merge patch.
    Strategic(Value),
    /// What is applied besides name and kind.
    Apply(Value),
    /// A new Module: that of the setup with this merge patch.
    Create(Value),
    /// The same by server-side apply.
    ApplyNew(Value),
    /// The same by a replacement of what is not there.
    ReplaceNew(Value),
    Delete {},
    DeleteCollection {},
    /// The Module is deleted and made anew with this merge patch, by one command.
    Recreate(Value),
    /// A merge patch of another subresource.
    Subresource {
        name: String,
        merge: Value,
    },
    /// A new cluster-scoped `ModulePolicy` with this spec.
    Policy(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    Json,
    Merge,
    Apply,
    Replace,
    Edit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Client {
    Http,
    Kubectl,
}

/// The state of our webhook during the write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hooks {
    #[default]
    On,
    /// The process is not running.
    Stopped,
    /// The configurations are deleted.
    Removed,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expect {
    Passes(Passes),
    Refused(Refused),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Passes {
    Allowed,
    /// The write is accepted and what it wants is dropped.
    Ignored,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Refused {
    /// Part of the message.
    pub(crate) denied: String,
    /// What the message must not contain.
    #[serde(default)]
    pub(crate) without: Option<String>,
    pub(crate) by: By,
}

/// Who refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum By {
    /// The webhook.
    Hook,
    /// A `ValidatingAdmissionPolicy`.
    Policy,
    /// The API server, since the webhook does not answer.
    Closed,
    /// The API server, for reasons of its own: RBAC, patch types, subresources that do not exist, schemas, conflicts.
    Server,
}

/// A merge patch that changes nothing.
fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn default_setup() -> String {
    "app".to_owned()
}

fn default_identity() -> String {
    "developer".to_owned()
}

fn default_ways() -> Vec<Way> {
    vec![Way::Json, Way::Merge, Way::Apply, Way::Replace]
}

fn default_through() -> Vec<Client> {
    vec![Client::Http]
}

fn default_dry_run() -> Vec<bool> {
    vec![true, false]
}

impl Table {
    /// Reads the table; `names` are what it writes as `$(name)`.
    pub(crate) fn read(text: &str, names: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), value));
        let content: Value = serde_yaml::from_str(&text).map_err(|error| error.to_string())?;
        // By themselves, to tell which one has a mistake.
        for row in content["rows"].as_array().into_iter().flatten() {
            serde_json::from_value::<Row>(row.clone()).map_err(|error| format!("{error}: {row}"))?;
        }
        let mut table: Self = serde_json::from_value(content).map_err(|error| error.to_string())?;
        table.bases = table.setups.values().filter_map(|setup| setup.from.clone()).collect();
        let names: Vec<String> = table.setups.keys().cloned().collect();
        for name in names {
            let setup = table.resolved(&name)?;
            table.setups.insert(name, setup);
        }
        Ok(table)
    }

    /// What is wrong with the table as a whole.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        let driven: BTreeSet<Vector> = self.rows.iter().map(|row| row.vector).collect();
        let mut mistakes = Vec::new();
        for vector in (1..=VECTORS).map(Vector) {
            match (driven.contains(&vector), self.not_driven.contains_key(&vector)) {
                (false, false) => mistakes.push(format!("{vector} has no row and no reason for that")),
                (true, true) => mistakes.push(format!("{vector} has a row and is listed as not driven")),
                _ => {}
            }
        }
        let steps =
            self.setups.values().flat_map(|setup| setup.then.iter().map(|step| &step.identity).chain(&setup.identity));
        for identity in self.rows.iter().map(|row| &row.identity).chain(steps) {
            if !self.identities.contains_key(identity) {
                mistakes.push(format!("the identity {identity} is not described"));
            }
        }
        for row in self.rows.iter().filter(|row| !self.setups.contains_key(&row.setup)) {
            mistakes.push(format!("{}: the setup {} is not described", row.vector, row.setup));
        }
        let used: BTreeSet<&String> = self.rows.iter().map(|row| &row.setup).chain(&self.bases).collect();
        mistakes
            .extend(self.setups.keys().filter(|name| !used.contains(name)).map(|name| format!("no row uses {name}")));
        mistakes
    }

    fn resolved(&self, name: &str) -> Result<Setup, String> {
        let setup = self.setups.get(name).ok_or_else(|| format!("there is no setup {name}"))?.clone();
        let Some(base) = &setup.from else { return Ok(setup) };
        let mut resolved = self.resolved(base)?;
        json_patch::merge(&mut resolved.module, &setup.module);
        resolved.namespace = setup.namespace.or(resolved.namespace);
        resolved.identity = setup.identity.or(resolved.identity);
        resolved.manager = setup.manager.or(resolved.manager);
        resolved.then.extend(setup.then);
        resolved.from = None;
        Ok(resolved)
    }
}

impl std::fmt::Display for Vector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "B{:02}", self.0)
    }
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_prefix('B').filter(|digits| digits.len() == 2).and_then(|digits| digits.parse().ok());
        match number {
            Some(number) if (1..=VECTORS).contains(&number) => Ok(Self(number)),
            _ => Err(Error::custom(format!("`{text}` is no vector from B01 to B{VECTORS}"))),
        }
    }
}
