//! Checking Modules in files before they are merged: what is found, and where.

pub(crate) mod base;
mod fields;
pub(crate) mod files;
mod github;
mod judge;
pub(crate) mod live;
pub(crate) mod offline;
pub(crate) mod output;
mod place;
mod policies;
mod sarif;

use renderer::yaml::Position;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Good to know.
    Note,
    /// Passes, and is hardly meant.
    Warning,
    /// Fails the check.
    Error,
}

/// What kind of thing a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// A file cannot be read.
    Read,
    /// Two files describe one Module.
    Duplicate,
    /// An object is not what its definition says.
    Invalid,
    /// A policy does not do what it seems to.
    Policy,
    /// A template cannot be used.
    Template,
    /// Values do not fit the template's schema.
    Schema,
    /// The template cannot be rendered.
    Render,
    /// The Module expands to what the policies do not let it have.
    Confinement,
    /// Something locked is changed.
    Lock,
    /// Somebody may not make this write.
    Refused,
}

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file as it was named.
    pub(crate) file: String,
    /// The place in the file; none if it is about the whole file.
    pub(crate) position: Option<Position>,
}

/// Something that is worth saying about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) place: Place,
    pub(crate) level: Level,
    pub(crate) rule: Rule,
    /// The object, as `Module team-a/shop`; empty if there is none.
    pub(crate) object: String,
    /// The field, such as `spec.values.image.tag`; empty if it is about the whole object.
    pub(crate) field: String,
    pub(crate) message: String,
}

/// What a file does to a Module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    /// It was not there before, or nothing is known about before.
    Created,
    /// Something of it is written.
    Changed,
    /// It is gone.
    Deleted,
    /// Nothing is written.
    Unchanged,
}

/// A Module that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// `namespace/name`.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) change: Change,
}

/// All that a check found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    pub(crate) modules: Vec<Checked>,
    /// How many files were read.
    pub(crate) files: usize,
    /// Folders that were left out because they hold charts.
    pub(crate) charts: Vec<String>,
    /// What the files were compared with; none if with nothing.
    pub(crate) compared_with: Option<String>,
}

impl Rule {
    /// All rules, in the order of the output formats that list them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Read,
        Self::Duplicate,
        Self::Invalid,
        Self::Policy,
        Self::Template,
        Self::Schema,
        Self::Render,
        Self::Confinement,
        Self::Lock,
        Self::Refused,
    ];

    /// The name that outputs use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::Policy => "policy",
            Self::Template => "template",
            Self::Schema => "schema",
            Self::Render => "render",
            Self::Confinement => "confinement",
            Self::Lock => "lock",
            Self::Refused => "refused",
        }
    }

    /// What breaks the rule, in a sentence.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Read => "A file cannot be read or is no valid YAML.",
            Self::Duplicate => "One object is described twice.",
            Self::Invalid => "An object is not what its definition says: unknown, missing or wrong fields.",
            Self::Policy => "A ModulePolicy does not do what it seems to.",
            Self::Template => "A template cannot be found or used.",
            Self::Schema => "Values do not fit the schema of the template.",
            Self::Render => "A template cannot be rendered with the values.",
            Self::Confinement => "A Module expands to resources that the policies do not let it have.",
            Self::Lock => "A locked value, or what is locked along with it, is changed.",
            Self::Refused => "The webhook would refuse the write because of who makes it.",
        }
    }

    /// Whether others could make the write: everything else is wrong whoever makes it.
    fn is_about_identity(self) -> bool {
        matches!(self, Self::Lock | Self::Refused)
    }
}

impl Level {
    /// The name that people, GitHub and SARIF use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Report {
    /// How many findings have a level.
    pub(crate) fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// How many Modules have a change.
    pub(crate) fn count_of(&self, change: Change) -> usize {
        self.modules.iter().filter(|module| module.change == change).count()
    }

    /// Whether nothing stands in the way.
    pub(crate) fn is_passed(&self) -> bool {
        self.count(Level::Error) == 0
    }

    /// Whether all that stands in the way is who writes.
    pub(crate) fn is_only_refused(&self) -> bool {
        let mut errors = self.findings.iter().filter(|finding| finding.level == Level::Error).peekable();
        errors.peek().is_some() && errors.all(|finding| finding.rule.is_about_identity())
    }

    /// Puts everything in the order of the files. What is told twice is told once.
    pub(crate) fn sort(&mut self) {
        self.findings.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.place.clone(), std::cmp::Reverse(finding.level), finding.rule);
            key(one).cmp(&key(other))
        });
        self.findings.dedup();
        self.modules.sort_by(|one, other| (&one.file, &one.name).cmp(&(&other.file, &other.name)));
    }
}
