//! Who writes what besides values, under which policies, and the objects that come of it.

use std::collections::BTreeSet;

use module::Requester;
use module::annotations;
use module::policy::{
    Creation, Deletion, ImmutableValues, ModulePolicy, ModulePolicySpec, Ownership, ServiceAccountReference, Subject,
    TemplateChanges, TemplatePolicy,
};
use module::verdict::{Controllers, Operation};
use serde_json::{Value, json};

use super::Case;

/// The namespace of all Modules.
pub(super) const NAMESPACE: &str = "team";
/// Whose values `ownership` locks.
const MANAGER: &str = "argocd-controller";
const WRITER: &str = "system:serviceaccount:argocd:robot";
const WRITERS: &str = "robots";
const RESCUERS: &str = "on-call";
const CONTROLLER: &str = "system:serviceaccount:module-system:module-webhook";
const CYCLOPS: &str = "system:serviceaccount:cyclops:cyclops-ctrl";
const CLEANERS: [&str; 2] = [
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
];

/// What is done to a Module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is created.
    Creation,
    /// It is changed.
    Update,
    /// It is deleted.
    Deletion,
    /// Its status is written.
    Status,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Nobody special.
    Developer,
    /// A service account that policies may name as a GitOps writer.
    Writer,
    /// Somebody whom policies may list for emergencies.
    Rescuer,
    /// Our controller.
    Controller,
    /// Cyclops' controller and interface.
    Cyclops,
    /// Who deletes what has lost its owner.
    GarbageCollector,
    /// Who deletes what is in a namespace that is deleted.
    NamespaceController,
}

/// How a policy names its GitOps writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Not at all.
    Nobody,
    /// By user name.
    User,
    /// By group.
    Group,
    /// As a service account.
    ServiceAccount,
    /// It names another one, whose name begins alike.
    Similar,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    /// `gitOpsWriters`.
    pub writer: Naming,
    /// Whether `breakGlass` lists the rescuer.
    pub lists_rescuer: bool,
    /// `immutableValues`.
    pub values: ImmutableValues,
    /// `ownership`.
    pub ownership: Ownership,
    /// `template.changes`.
    pub template: TemplateChanges,
    /// `creation`.
    pub creation: Creation,
    /// `deletion`.
    pub deletion: Deletion,
}

/// A reason for writing past the locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// None.
    None,
    /// The write brings one.
    New,
    /// The write brings one that differs from an earlier one.
    Other,
    /// It is there since an earlier write.
    Stored,
    /// The write takes an earlier one away.
    Removed,
    /// The write brings one without words.
    Blank,
    /// The write brings one for a deletion that is to follow; a deletion finds it.
    ForDeletion,
}

/// Something that changes besides values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aside {
    /// `spec.template.version`.
    Version,
    /// `spec.template.path`.
    Path,
    /// `spec.template.repo`.
    Repository,
    /// `spec.template.sourceType`.
    SourceType,
    /// `spec.template.sourceType` is left out.
    SourceTypeLost,
    /// `spec.template.enforceGitOpsWrite`.
    EnforceGitOpsWrite,
    /// `spec.template.enforceGitOpsWrite` is left out.
    EnforceGitOpsWriteLost,
    /// `spec.targetNamespace`.
    TargetNamespace,
    /// `spec.targetNamespace` names the namespace that it stands for if it is left out.
    TargetNamespaceSpelled,
    /// Where Git keeps the Module.
    WriteRepository,
    /// Where Git keeps the Module is left out.
    WritePathLost,
    /// The states that a roll back would restore.
    History,
    /// A label.
    Label,
    /// A finalizer.
    Finalizer,
    /// `status.templateResolvedVersion`.
    ResolvedVersion,
    /// `status.templateResolvedVersion`, which was empty.
    FirstResolvedVersion,
    /// What the controller remembers in the status.
    Memory,
    /// Something in the status that steers nobody.
    Icon,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Creation, Self::Update, Self::Deletion, Self::Status];

    pub(super) fn operation(self) -> Operation {
        match self {
            Self::Creation => Operation::Create,
            Self::Update => Operation::Update,
            Self::Deletion => Operation::Delete,
            Self::Status => Operation::Status,
        }
    }
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Developer,
        Self::Writer,
        Self::Rescuer,
        Self::Controller,
        Self::Cyclops,
        Self::GarbageCollector,
        Self::NamespaceController,
    ];

    pub(super) fn requester(self) -> Requester {
        let (name, group) = match self {
            Self::Developer => ("alice", "developers"),
            Self::Writer => (WRITER, WRITERS),
            Self::Rescuer => ("olivia", RESCUERS),
            Self::Controller => (CONTROLLER, "system:serviceaccounts"),
            Self::Cyclops => (CYCLOPS, "system:serviceaccounts"),
            Self::GarbageCollector => (CLEANERS[0], "system:serviceaccounts"),
            Self::NamespaceController => (CLEANERS[1], "system:serviceaccounts"),
        };
        Requester { groups: BTreeSet::from([group.to_owned()]), ..Requester::named(name) }
    }
}

pub(super) fn controllers() -> Controllers {
    Controllers { own: Some(CONTROLLER.to_owned()), cyclops: Some(CYCLOPS.to_owned()) }
}

impl PolicyText {
    /// A policy that says nothing.
    pub const SILENT: Self = Self {
        writer: Naming::Nobody,
        lists_rescuer: false,
        values: ImmutableValues::Enforce,
        ownership: Ownership::Off,
        template: TemplateChanges::GitOpsOnly,
        creation: Creation::Anyone,
        deletion: Deletion::ProtectGitOps,
    };

    pub(super) fn object(&self, name: &str) -> ModulePolicy {
        let user = |name: &str| Subject { user: Some(name.to_owned()), ..Subject::default() };
        let group = |name: &str| Subject { group: Some(name.to_owned()), ..Subject::default() };
        let writer = match self.writer {
            Naming::Nobody => None,
            Naming::User => Some(user(WRITER)),
            Naming::Group => Some(group(WRITERS)),
            Naming::ServiceAccount => {
                let account = ServiceAccountReference { namespace: "argocd".to_owned(), name: "robot".to_owned() };
                Some(Subject { service_account: Some(account), ..Subject::default() })
            }
            Naming::Similar => Some(user(&format!("{WRITER}-2"))),
        };
        let spec = ModulePolicySpec {
            git_ops_writers: writer.into_iter().collect(),
            break_glass: self.lists_rescuer.then(|| group(RESCUERS)).into_iter().collect(),
            immutable_values: self.values,
            ownership: self.ownership,
            template: TemplatePolicy { changes: self.template, ..TemplatePolicy::default() },
            creation: self.creation,
            deletion: self.deletion,
            ..ModulePolicySpec::default()
        };
        ModulePolicy::new(name, spec)
    }
}

impl Case {
    /// The stored Module and the one that shall be.
    pub(super) fn objects(&self) -> (Option<Value>, Option<Value>) {
        let mut old = json!({
            "apiVersion": "cyclops-ui.com/v1alpha1",
            "kind": "Module",
            "metadata": {
                "name": "app",
                "namespace": NAMESPACE,
                "annotations": {
                    annotations::WRITE_REPO: "https://git.example.com/apps",
                    annotations::WRITE_PATH: "team",
                },
                "managedFields": [self.managed_fields()],
            },
            "spec": {
                "template": {
                    "repo": "https://git.example.com/charts",
                    "path": "app",
                    "version": "1",
                    "sourceType": "git",
                    "enforceGitOpsWrite": {"repo": "https://git.example.com/apps", "path": "team", "version": "main"},
                },
                "values": self.old_values,
            },
            "history": [{
                "generation": 1,
                "template": {"repo": "https://git.example.com/charts", "path": "app", "version": "0"},
                "values": {},
            }],
            "status": {"templateResolvedVersion": "1", "revision": 1},
        });
        let mut new = old.clone();
        new["spec"]["values"] = self.new_values.clone();
        let (before, after) = match self.reason {
            Reason::None => (None, None),
            Reason::New => (None, Some("the night of the outage")),
            Reason::Other => (Some("the night of the outage"), Some("the morning after")),
            Reason::Stored => (Some("the night of the outage"), Some("the night of the outage")),
            Reason::Removed => (Some("the night of the outage"), None),
            Reason::Blank => (None, Some(" \n")),
            Reason::ForDeletion => {
                new["metadata"]["annotations"][annotations::BREAK_GLASS_DELETION] = json!("the disk is full");
                if self.kind == Kind::Deletion {
                    old["metadata"]["annotations"][annotations::BREAK_GLASS_DELETION] = json!("the disk is full");
                }
                (None, None)
            }
        };
        for (object, reason) in [(&mut old, before), (&mut new, after)] {
            if let Some(reason) = reason {
                object["metadata"]["annotations"][annotations::BREAK_GLASS] = json!(reason);
            }
        }
        for aside in &self.asides {
            aside.change(&mut old, &mut new);
        }
        match self.kind {
            Kind::Creation => (None, Some(new)),
            Kind::Deletion => (Some(old), None),
            Kind::Update | Kind::Status => (Some(old), Some(new)),
        }
    }

    fn managed_fields(&self) -> Value {
        // Without a field `values`, which would be all of them.
        if self.owned.is_empty() {
            return json!({"manager": MANAGER, "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:template": {}}}});
        }
        let mut values = json!({});
        for path in &self.owned {
            let mut fields = &mut values;
            for key in path {
                fields = &mut fields[format!("f:{key}")];
                if fields.is_null() {
                    *fields = json!({});
                }
            }
        }
        json!({
            "manager": MANAGER,
            "operation": "Apply",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:values": values}},
        })
    }
}

/// Puts the stamp that guards the deletion.
pub(super) fn guard(module: &mut Value) {
    module["metadata"]["annotations"][annotations::PROTECTED] = json!("true");
}

impl Aside {
    /// What changes in an update.
    pub(super) const OF_UPDATES: [Self; 14] = [
        Self::Version,
        Self::Path,
        Self::Repository,
        Self::SourceType,
        Self::SourceTypeLost,
        Self::EnforceGitOpsWrite,
        Self::EnforceGitOpsWriteLost,
        Self::TargetNamespace,
        Self::TargetNamespaceSpelled,
        Self::WriteRepository,
        Self::WritePathLost,
        Self::History,
        Self::Label,
        Self::Finalizer,
    ];

    /// Whether the reference to the template names another one.
    pub(super) fn names_another_template(self) -> bool {
        matches!(self, Self::Version | Self::Path | Self::Repository | Self::SourceType)
    }

    fn change(self, old: &mut Value, new: &mut Value) {
        fn remove(object: &mut Value, key: &str) {
            if let Some(members) = object.as_object_mut() {
                members.remove(key);
            }
        }
        match self {
            Self::Version => new["spec"]["template"]["version"] = json!("2"),
            Self::Path => new["spec"]["template"]["path"] = json!("elsewhere"),
            Self::Repository => new["spec"]["template"]["repo"] = json!("https://git.example.com/elsewhere"),
            Self::SourceType => new["spec"]["template"]["sourceType"] = json!("helm"),
            Self::SourceTypeLost => remove(&mut new["spec"]["template"], "sourceType"),
            Self::EnforceGitOpsWrite => {
                new["spec"]["template"]["enforceGitOpsWrite"]["repo"] = json!("https://git.example.com/elsewhere");
            }
            Self::EnforceGitOpsWriteLost => remove(&mut new["spec"]["template"], "enforceGitOpsWrite"),
            Self::TargetNamespace => new["spec"]["targetNamespace"] = json!("elsewhere"),
            Self::TargetNamespaceSpelled => new["spec"]["targetNamespace"] = json!("default"),
            Self::WriteRepository => {
                new["metadata"]["annotations"][annotations::WRITE_REPO] = json!("https://git.example.com/elsewhere");
            }
            Self::WritePathLost => remove(&mut new["metadata"]["annotations"], annotations::WRITE_PATH),
            Self::History => new["history"] = json!([]),
            Self::Label => new["metadata"]["labels"] = json!({"example.com/seen": "true"}),
            Self::Finalizer => new["metadata"]["finalizers"] = json!(["example.com/hold"]),
            Self::ResolvedVersion => new["status"]["templateResolvedVersion"] = json!("2"),
            Self::FirstResolvedVersion => {
                old["status"]["templateResolvedVersion"] = json!("");
                new["status"]["templateResolvedVersion"] = json!("2");
            }
            Self::Memory => new["status"]["revision"] = json!(7),
            Self::Icon => new["status"]["iconURL"] = json!("https://example.com/icon.svg"),
        }
    }
}
