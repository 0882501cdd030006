//! The policies that count for one namespace, and what they say together: all of them must allow.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::glob::Glob;
use super::source::{SourceError, TemplateSources};
use super::types::{
    Creation, Deletion, Escalation, ImmutableValues, KindPattern, ModulePolicy, ModulePolicySpec, Ownership, Subject,
    TemplateChanges,
};
use crate::ownership::FORGOTTEN_MANAGERS;
use crate::requester::Requester;

/// The service account that the controller acts as where no policy names one.
const DEFAULT_SERVICE_ACCOUNT: &str = "default";

/// The names that Argo CD, Flux and Fleet write with, where a policy names no others.
const GIT_OPS_FIELD_MANAGERS: [&str; 4] =
    ["argocd-controller", "kustomize-controller", "helm-controller", "fleetagent"];

/// All policies of a cluster or of a file.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    policies: Vec<Arc<NamedPolicy>>,
}

/// One policy, its patterns read.
#[derive(Debug)]
pub struct NamedPolicy {
    name: Option<String>,
    spec: ModulePolicySpec,
    /// None matches every namespace.
    namespaces: Option<Vec<Glob>>,
    sources: TemplateSources,
    other_namespaces: Vec<Glob>,
    /// A pattern could not be read. Such a policy matches every namespace and allows nobody, until it is corrected.
    broken: bool,
}

/// What happens to a write that touches something locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// It passes.
    Allow,
    /// It passes with a warning.
    Warn,
    /// It is refused.
    Refuse,
}

/// The policies that match a namespace, never none: without any, the default policy stands for them.
#[derive(Clone, Debug)]
pub struct EffectivePolicy {
    policies: Vec<Arc<NamedPolicy>>,
}

/// Two policies name different service accounts to apply with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ModulePolicies name different service accounts for this namespace: {}", names.join(", "))]
pub struct ServiceAccountConflict {
    /// The names, sorted.
    pub names: Vec<String>,
}

impl Policies {
    /// Reads the patterns of all policies.
    pub fn new(policies: impl IntoIterator<Item = ModulePolicy>) -> Self {
        let mut policies: Vec<_> =
            policies.into_iter().map(|policy| Arc::new(NamedPolicy::new(policy.metadata.name, policy.spec))).collect();
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        Self { policies }
    }

    /// The policies that match a Module's namespace.
    pub fn effective(&self, namespace: &str) -> EffectivePolicy {
        let policies: Vec<_> =
            self.policies.iter().filter(|policy| policy.matches_namespace(namespace)).cloned().collect();
        if policies.is_empty() { EffectivePolicy::default() } else { EffectivePolicy { policies } }
    }
}

impl Default for EffectivePolicy {
    /// What holds where no policy matches: locks are enforced and nobody is a GitOps writer.
    fn default() -> Self {
        Self { policies: vec![Arc::new(NamedPolicy::new(None, ModulePolicySpec::default()))] }
    }
}

impl EffectivePolicy {
    /// The policies, at least one.
    pub fn policies(&self) -> impl Iterator<Item = &NamedPolicy> {
        self.policies.iter().map(AsRef::as_ref)
    }

    /// Whether every policy names this requester as a GitOps writer.
    pub fn is_git_ops_writer(&self, requester: &Requester) -> bool {
        self.policies.iter().all(|policy| policy.is_git_ops_writer(requester))
    }

    /// Whether every policy lets this requester write past the locks with a reason.
    pub fn may_break_glass(&self, requester: &Requester) -> bool {
        self.policies.iter().all(|policy| policy.is_git_ops_writer(requester) || policy.may_break_glass(requester))
    }

    /// What happens when this requester changes something locked. `reason_given`: the request breaks the glass.
    pub fn locked(&self, requester: &Requester, reason_given: bool) -> Rule {
        self.strictest(|policy| policy.locked(requester, reason_given))
    }

    /// What happens when this requester changes something that a field manager owns.
    pub fn owned(&self, requester: &Requester, reason_given: bool, manager: &str) -> Rule {
        self.strictest(|policy| policy.owned(requester, reason_given, manager))
    }

    /// Whether the policies lock what this field manager owns.
    pub fn locks_what_is_owned_by(&self, manager: &str) -> bool {
        self.policies.iter().any(|policy| policy.spec.ownership != Ownership::Off && policy.is_git_ops_manager(manager))
    }

    /// Whether a change of what is owned is refused.
    pub fn enforces_ownership(&self) -> bool {
        self.policies.iter().any(|policy| policy.spec.ownership == Ownership::Enforce)
    }

    /// What happens when this requester changes the reference to a template with locks. `version_only`: nothing but
    /// the version changes, every lock stays and no locked value changes.
    pub fn template_change(&self, requester: &Requester, reason_given: bool, version_only: bool) -> Rule {
        self.strictest(|policy| {
            if policy.frees_template(version_only) { Rule::Allow } else { policy.locked(requester, reason_given) }
        })
    }

    /// What happens when this requester changes the reference to the template of a Module with values that this field
    /// manager owns. `version_only`: as for [`EffectivePolicy::template_change`].
    pub fn owned_template_change(
        &self,
        requester: &Requester,
        reason_given: bool,
        version_only: bool,
        manager: &str,
    ) -> Rule {
        self.strictest(|policy| {
            if policy.frees_template(version_only) {
                Rule::Allow
            } else {
                policy.owned(requester, reason_given, manager)
            }
        })
    }

    /// Whether some policy would allow a change of the version that keeps locks and locked values, so that it is worth
    /// comparing the two templates.
    pub fn version_changes_allowed(&self) -> bool {
        self.policies.iter().any(|policy| policy.spec.template.changes == TemplateChanges::Version)
    }

    /// Whether this requester may create Modules.
    pub fn may_create(&self, requester: &Requester) -> bool {
        self.policies.iter().all(|policy| match policy.spec.creation {
            Creation::Anyone => !policy.broken,
            Creation::GitOpsOnly => policy.is_git_ops_writer(requester),
        })
    }

    /// Whether this requester may delete a Module. `protected`: a GitOps writer has claimed it and its template has
    /// locks.
    pub fn may_delete(&self, requester: &Requester, protected: bool) -> bool {
        self.policies.iter().all(|policy| match policy.spec.deletion {
            Deletion::Anyone => !policy.broken,
            Deletion::ProtectGitOps => {
                !protected && !policy.broken
                    || policy.is_git_ops_writer(requester)
                    || policy.spec.immutable_values == ImmutableValues::Off
                        && policy.spec.ownership != Ownership::Enforce
                        && !policy.broken
            }
            Deletion::GitOpsOnly => policy.is_git_ops_writer(requester),
        })
    }

    /// Whether the deletion of a Module must be asked about: what a GitOps writer has once claimed stays claimed as long
    /// as anything is locked, by marks or because Git owns it, or a developer's free edit would open the way to delete
    /// and create anew. Where only GitOps writers delete, every deletion is asked about.
    pub fn guards_deletion(&self, claimed: bool, has_locks: bool) -> bool {
        !self.may_delete(&Requester::default(), false) || claimed && (self.enforces_ownership() || has_locks)
    }

    /// Whether a template may come from this repository or registry and folder or chart.
    pub fn check_source(&self, repo: &str, path: &str) -> Result<(), SourceError> {
        self.policies.iter().try_for_each(|policy| policy.sources.check(repo, path))
    }

    /// Whether a source that may be used is one that a policy lists, and not just any.
    pub fn lists_sources(&self) -> bool {
        self.policies.iter().any(|policy| policy.sources.is_list())
    }

    /// Whose rights are to be asked for; empty: nobody's.
    pub fn escalations(&self) -> BTreeSet<Escalation> {
        self.policies
            .iter()
            .map(|policy| if policy.broken { Escalation::Requester } else { policy.spec.escalation })
            .filter(|escalation| *escalation != Escalation::Off)
            .collect()
    }

    /// The service account, in the namespace of the Module, that applies the resources.
    pub fn service_account_name(&self) -> Result<&str, ServiceAccountConflict> {
        let names: BTreeSet<&str> =
            self.policies.iter().filter_map(|policy| policy.spec.service_account_name.as_deref()).collect();
        let mut distinct = names.iter();
        match (distinct.next(), distinct.next()) {
            (None, _) => Ok(DEFAULT_SERVICE_ACCOUNT),
            (Some(name), None) => Ok(name),
            _ => Err(ServiceAccountConflict { names: names.iter().map(ToString::to_string).collect() }),
        }
    }

    /// The shortest interval at which moving template references are resolved again, as written; none: never.
    pub fn tracking_intervals(&self) -> Option<Vec<&str>> {
        self.policies
            .iter()
            .map(|policy| policy.spec.template.tracking.as_ref().map(|tracking| tracking.interval.as_str()))
            .collect()
    }

    /// Whether a Module may expand to this kind. `cluster_scoped`: the kind has no namespace.
    pub fn allows_kind(&self, group: &str, kind: &str, cluster_scoped: bool) -> bool {
        self.policies.iter().all(|policy| policy.allows_kind(group, kind, cluster_scoped))
    }

    /// Whether a Module may create resources in a namespace other than its target namespace.
    pub fn allows_namespace(&self, namespace: &str) -> bool {
        self.policies.iter().all(|policy| policy.other_namespaces.iter().any(|glob| glob.matches(namespace)))
    }

    /// The GitOps writers: those whom every policy names.
    pub fn git_ops_writers(&self) -> Vec<&Subject> {
        let Some((first, others)) = self.policies.split_first() else { return Vec::new() };
        first
            .spec
            .git_ops_writers
            .iter()
            .filter(|subject| others.iter().all(|policy| policy.spec.git_ops_writers.contains(subject)))
            .collect()
    }

    /// Names of the policies, sorted; empty if the default stands for them.
    pub fn names(&self) -> Vec<&str> {
        self.policies.iter().filter_map(|policy| policy.name.as_deref()).collect()
    }

    fn strictest(&self, rule: impl Fn(&NamedPolicy) -> Rule) -> Rule {
        self.policies.iter().map(|policy| rule(policy)).max().unwrap_or(Rule::Refuse)
    }
}

impl NamedPolicy {
    fn new(name: Option<String>, spec: ModulePolicySpec) -> Self {
        let mut broken = false;
        let mut read = |patterns: &[String]| -> Vec<Glob> {
            patterns.iter().filter_map(|pattern| Glob::new(pattern).inspect_err(|_| broken = true).ok()).collect()
        };
        let namespaces = spec.matches.as_ref().and_then(|matches| matches.namespaces.as_deref()).map(&mut read);
        let other_namespaces = read(&spec.expansion.namespaces);
        let sources = TemplateSources::new(spec.template.sources.as_deref()).unwrap_or_else(|_| {
            broken = true;
            TemplateSources::none()
        });
        Self { name, spec, namespaces, sources, other_namespaces, broken }
    }

    /// `metadata.name`; none for the default policy.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the policy says.
    pub fn spec(&self) -> &ModulePolicySpec {
        &self.spec
    }

    fn matches_namespace(&self, namespace: &str) -> bool {
        self.broken || self.namespaces.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.matches(namespace)))
    }

    fn is_git_ops_writer(&self, requester: &Requester) -> bool {
        !self.broken && self.spec.git_ops_writers.iter().any(|subject| subject.is(requester))
    }

    fn may_break_glass(&self, requester: &Requester) -> bool {
        !self.broken && self.spec.break_glass.iter().any(|subject| subject.is(requester))
    }

    fn locked(&self, requester: &Requester, reason_given: bool) -> Rule {
        if self.is_git_ops_writer(requester) || reason_given && self.may_break_glass(requester) {
            return Rule::Allow;
        }
        match self.spec.immutable_values {
            _ if self.broken => Rule::Refuse,
            ImmutableValues::Enforce => Rule::Refuse,
            ImmutableValues::Warn => Rule::Warn,
            ImmutableValues::Off => Rule::Allow,
        }
    }

    fn owned(&self, requester: &Requester, reason_given: bool, manager: &str) -> Rule {
        if self.is_git_ops_writer(requester) || reason_given && self.may_break_glass(requester) {
            return Rule::Allow;
        }
        match self.spec.ownership {
            _ if self.broken => Rule::Refuse,
            _ if !self.is_git_ops_manager(manager) => Rule::Allow,
            Ownership::Enforce => Rule::Refuse,
            Ownership::Warn => Rule::Warn,
            Ownership::Off => Rule::Allow,
        }
    }

    fn is_git_ops_manager(&self, manager: &str) -> bool {
        manager == FORGOTTEN_MANAGERS
            || match &self.spec.git_ops_field_managers {
                None => GIT_OPS_FIELD_MANAGERS.contains(&manager),
                Some(managers) => managers.iter().any(|known| known == manager),
            }
    }

    /// Whether everybody may change the reference to a template.
    fn frees_template(&self, version_only: bool) -> bool {
        !self.broken
            && match self.spec.template.changes {
                TemplateChanges::Any => true,
                TemplateChanges::Version => version_only,
                TemplateChanges::GitOpsOnly => false,
            }
    }

    fn allows_kind(&self, group: &str, kind: &str, cluster_scoped: bool) -> bool {
        let listed = |patterns: &[KindPattern]| patterns.iter().any(|pattern| pattern.matches(group, kind));
        let expansion = &self.spec.expansion;
        !listed(&expansion.deny)
            && expansion.allow.as_deref().is_none_or(listed)
            && (!cluster_scoped || listed(&expansion.cluster_scoped))
            && !self.broken
    }
}

impl KindPattern {
    /// Whether the kind of this group is meant. A pattern that cannot be read stands for nothing.
    fn matches(&self, group: &str, kind: &str) -> bool {
        let group_matches = if self.group.is_empty() {
            group.is_empty()
        } else {
            Glob::new(&self.group).is_ok_and(|glob| glob.matches(group))
        };
        group_matches && Glob::new(&self.kind).is_ok_and(|glob| glob.matches(kind))
    }
}

impl Subject {
    /// Whether the requester is this user or service account, or in this group. A subject that names none or several
    /// of the three is nobody.
    pub fn is(&self, requester: &Requester) -> bool {
        match (&self.service_account, &self.user, &self.group) {
            (Some(account), None, None) => {
                requester.service_account() == Some((account.namespace.as_str(), account.name.as_str()))
            }
            (None, Some(user), None) => !user.is_empty() && requester.username == *user,
            (None, None, Some(group)) => !group.is_empty() && requester.groups.contains(group),
            _ => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.service_account, &self.user, &self.group) {
            (Some(account), None, None) => {
                write!(formatter, "the service account {}/{}", account.namespace, account.name)
            }
            (None, Some(user), None) => write!(formatter, "the user {user}"),
            (None, None, Some(group)) => write!(formatter, "the group {group}"),
            _ => formatter.write_str("nobody"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policies(specs: &[(&str, Value)]) -> Policies {
        Policies::new(
            specs.iter().map(|(name, spec)| ModulePolicy::new(name, serde_json::from_value(spec.clone()).unwrap())),
        )
    }

    fn argocd() -> Requester {
        Requester::named("system:serviceaccount:argocd:argocd-application-controller")
    }

    fn writer() -> Value {
        json!([{"serviceAccount": {"namespace": "argocd", "name": "argocd-application-controller"}}])
    }

    #[test]
    fn without_a_policy_nobody_writes_past_locks() {
        let policy = Policies::default().effective("team-a");
        assert!(!policy.is_git_ops_writer(&argocd()));
        assert_eq!(policy.locked(&argocd(), true), Rule::Refuse);
        assert_eq!(policy.template_change(&argocd(), false, true), Rule::Refuse);
        assert!(policy.may_create(&argocd()) && policy.may_delete(&argocd(), false));
        assert!(!policy.may_delete(&argocd(), true));
        assert_eq!(policy.service_account_name(), Ok("default"));
        assert_eq!(policy.escalations(), BTreeSet::from([Escalation::Requester]));
        assert!(!policy.allows_kind("rbac.authorization.k8s.io", "ClusterRole", true));
        assert!(policy.allows_kind("apps", "Deployment", false));
    }

    #[test]
    fn only_matching_policies_count() {
        let policies = policies(&[("a", json!({"match": {"namespaces": ["team-*"]}, "gitOpsWriters": writer()}))]);
        assert!(policies.effective("team-a").is_git_ops_writer(&argocd()));
        assert!(!policies.effective("my-team-a").is_git_ops_writer(&argocd()));
        assert!(!policies.effective("team-a").is_git_ops_writer(&Requester::named("alice")));
        assert_eq!(policies.effective("team-a").names(), ["a"]);
    }

    #[test]
    fn every_matching_policy_must_allow() {
        let policies = policies(&[
            ("a", json!({"gitOpsWriters": writer()})),
            ("b", json!({"match": {"namespaces": ["b"]}})),
            ("c", json!({"match": {"namespaces": ["c"]}, "immutableValues": "Off"})),
            ("d", json!({"match": {"namespaces": ["d"]}, "immutableValues": "Warn"})),
        ]);
        let rule = |namespace: &str| policies.effective(namespace).locked(&argocd(), false);
        assert_eq!(rule("a"), Rule::Allow);
        assert_eq!(rule("b"), Rule::Refuse);
        assert_eq!(rule("c"), Rule::Allow);
        assert_eq!(rule("d"), Rule::Warn);
        assert_eq!(policies.effective("c").locked(&Requester::named("alice"), false), Rule::Refuse);
    }

    #[test]
    fn a_policy_that_cannot_be_read_allows_nobody_anywhere() {
        let policies = policies(&[(
            "a",
            json!({"match": {"namespaces": ["x***"]}, "gitOpsWriters": writer(), "immutableValues": "Off"}),
        )]);
        let policy = policies.effective("team-a");
        assert_eq!(policy.locked(&argocd(), false), Rule::Refuse);
        assert!(!policy.may_create(&argocd()) && !policy.may_delete(&argocd(), false));
    }

    #[test]
    fn one_policy_that_lists_sources_is_enough() {
        let list = json!({"sources": [{"repo": "https://git.example.com/**"}]});
        let policies =
            policies(&[("all", json!({})), ("listed", json!({"match": {"namespaces": ["team-a"]}, "template": list}))]);
        assert!(policies.effective("team-a").lists_sources());
        assert!(!policies.effective("team-b").lists_sources());
        assert!(!EffectivePolicy::default().lists_sources());
    }

    #[test]
    fn groups_and_users_match_exactly() {
        let subject = |json: Value| serde_json::from_value::<Subject>(json).unwrap();
        let mut alice = Requester::named("alice");
        alice.groups.insert("platform".into());
        assert!(subject(json!({"user": "alice"})).is(&alice));
        assert!(subject(json!({"group": "platform"})).is(&alice));
        assert!(!subject(json!({"user": "ali*"})).is(&alice));
        assert!(!subject(json!({"group": "platform", "user": "alice"})).is(&alice));
        assert!(!subject(json!({})).is(&alice));
        assert!(!subject(json!({"user": ""})).is(&Requester::default()));
    }

    #[test]
    fn breaking_the_glass_needs_a_listed_user_and_a_reason() {
        let policies = policies(&[("a", json!({"breakGlass": [{"user": "oncall"}]}))]);
        let policy = policies.effective("team-a");
        assert_eq!(policy.locked(&Requester::named("oncall"), true), Rule::Allow);
        assert_eq!(policy.locked(&Requester::named("oncall"), false), Rule::Refuse);
        assert_eq!(policy.locked(&Requester::named("alice"), true), Rule::Refuse);
    }

    #[test]
    fn different_service_accounts_are_a_conflict() {
        let policies =
            policies(&[("a", json!({"serviceAccountName": "x"})), ("b", json!({"serviceAccountName": "y"}))]);
        assert!(policies.effective("team-a").service_account_name().is_err());
    }
}
