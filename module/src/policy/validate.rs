//! What is wrong with a policy, found when it is written.

use super::glob::{Glob, GlobError};
use super::types::{KindPattern, ModulePolicySpec, Ownership, Subject};

/// One mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// Path of the field, such as `spec.match.namespaces[0]`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// All mistakes that the definition's schema cannot find.
pub fn validate(spec: &ModulePolicySpec) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    if let Some(namespaces) = spec.matches.as_ref().and_then(|matches| matches.namespaces.as_deref()) {
        check_globs("spec.match.namespaces", namespaces, &mut errors);
    }
    check_subjects("spec.gitOpsWriters", &spec.git_ops_writers, &mut errors);
    check_subjects("spec.breakGlass", &spec.break_glass, &mut errors);
    for (index, manager) in spec.git_ops_field_managers.iter().flatten().enumerate() {
        if manager.is_empty() || manager.contains('*') {
            errors.push(PolicyError {
                field: format!("spec.gitOpsFieldManagers[{index}]"),
                message: format!("`{manager}` is no name: field managers are compared exactly"),
            });
        }
    }
    for (index, source) in spec.template.sources.iter().flatten().enumerate() {
        check_glob(format!("spec.template.sources[{index}].repo"), &source.repo, &mut errors);
        if let Some(path) = &source.path {
            check_glob(format!("spec.template.sources[{index}].path"), path, &mut errors);
        }
    }
    let expansion = &spec.expansion;
    check_kinds("spec.expansion.allow", expansion.allow.as_deref().unwrap_or_default(), &mut errors);
    check_kinds("spec.expansion.deny", &expansion.deny, &mut errors);
    check_kinds("spec.expansion.clusterScoped", &expansion.cluster_scoped, &mut errors);
    check_globs("spec.expansion.namespaces", &expansion.namespaces, &mut errors);
    errors
}

/// What is no mistake, but hardly meant.
pub fn doubts(spec: &ModulePolicySpec) -> Vec<String> {
    let mut doubts = Vec::new();
    for (field, subjects) in [("gitOpsWriters", &spec.git_ops_writers), ("breakGlass", &spec.break_glass)] {
        for group in subjects.iter().filter_map(|subject| subject.group.as_deref()) {
            if let Some(whom) = EVERYBODY.iter().find(|(name, _)| *name == group).map(|(_, whom)| *whom) {
                doubts.push(format!("spec.{field}: the group {group} is {whom}"));
            } else if let Some(namespace) = group.strip_prefix("system:serviceaccounts:") {
                doubts.push(format!(
                    "spec.{field}: the group {group} is every service account of the namespace {namespace}, and so \
                     whoever may run a pod there"
                ));
            }
        }
    }
    if spec.ownership == Ownership::Off && spec.git_ops_field_managers.is_some() {
        doubts.push("spec.gitOpsFieldManagers: without spec.ownership it locks nothing".to_owned());
    }
    doubts
}

/// Groups that the API server puts many into.
const EVERYBODY: [(&str, &str); 3] = [
    ("system:authenticated", "everybody who is logged in"),
    ("system:unauthenticated", "everybody who is not logged in"),
    ("system:serviceaccounts", "every service account, and so whoever may run a pod"),
];

fn check_glob(field: String, pattern: &str, errors: &mut Vec<PolicyError>) {
    if let Err(error) = Glob::new(pattern) {
        errors.push(PolicyError { field, message: explain(&error) });
    }
}

fn explain(error: &GlobError) -> String {
    error.to_string()
}

fn check_globs(field: &str, patterns: &[String], errors: &mut Vec<PolicyError>) {
    for (index, pattern) in patterns.iter().enumerate() {
        check_glob(format!("{field}[{index}]"), pattern, errors);
    }
}

fn check_kinds(field: &str, patterns: &[KindPattern], errors: &mut Vec<PolicyError>) {
    for (index, pattern) in patterns.iter().enumerate() {
        if !pattern.group.is_empty() {
            check_glob(format!("{field}[{index}].group"), &pattern.group, errors);
        }
        check_glob(format!("{field}[{index}].kind"), &pattern.kind, errors);
    }
}

fn check_subjects(field: &str, subjects: &[Subject], errors: &mut Vec<PolicyError>) {
    for (index, subject) in subjects.iter().enumerate() {
        let named = usize::from(subject.service_account.is_some())
            + usize::from(subject.user.is_some())
            + usize::from(subject.group.is_some());
        if named != 1 {
            errors.push(PolicyError {
                field: format!("{field}[{index}]"),
                message: "name exactly one of serviceAccount, user and group".into(),
            });
        }
        let pattern = [&subject.user, &subject.group].into_iter().flatten().find(|name| name.contains('*'));
        if let Some(name) = pattern {
            errors.push(PolicyError {
                field: format!("{field}[{index}]"),
                message: format!("`{name}` is no pattern: users and groups are compared exactly"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mistakes_are_named_by_field() {
        let spec: ModulePolicySpec = serde_json::from_value(json!({
            "match": {"namespaces": ["ok-*", "a***"]},
            "gitOpsWriters": [{"user": "a", "group": "b"}, {"user": "team-*"}],
            "breakGlass": [{}, {"serviceAccount": {"namespace": "a", "name": "b"}}],
            "gitOpsFieldManagers": ["argocd-controller", "argo*", ""],
            "template": {"sources": [{"repo": "https://example.com/***"}, {"repo": "https://example.com/*", "path": ""}]},
            "expansion": {
                "allow": [{"kind": "Deploy*"}, {"kind": ""}],
                "deny": [{"group": "***", "kind": "Role"}],
                "clusterScoped": [{"group": "*", "kind": "***"}],
                "namespaces": ["team-*", ""],
            },
        }))
        .unwrap();
        let fields: Vec<String> = validate(&spec).into_iter().map(|error| error.field).collect();
        assert_eq!(
            fields,
            [
                "spec.match.namespaces[1]",
                "spec.gitOpsWriters[0]",
                "spec.gitOpsWriters[1]",
                "spec.breakGlass[0]",
                "spec.gitOpsFieldManagers[1]",
                "spec.gitOpsFieldManagers[2]",
                "spec.template.sources[0].repo",
                "spec.template.sources[1].path",
                "spec.expansion.allow[1].kind",
                "spec.expansion.deny[0].group",
                "spec.expansion.clusterScoped[0].kind",
                "spec.expansion.namespaces[1]",
            ]
        );
        assert!(validate(&ModulePolicySpec::default()).is_empty());
    }

    #[test]
    fn doubts_name_what_is_hardly_meant() {
        let doubts = |spec| doubts(&serde_json::from_value(spec).unwrap());
        let spec = json!({"gitOpsWriters": [{"group": "system:authenticated"}, {"group": "platform"}],
            "breakGlass": [{"group": "system:serviceaccounts:argocd"}], "gitOpsFieldManagers": ["argocd-controller"]});
        let doubts_of_spec = doubts(spec);
        assert_eq!(doubts_of_spec.len(), 3, "{doubts_of_spec:?}");
        assert_eq!(
            doubts_of_spec[0],
            "spec.gitOpsWriters: the group system:authenticated is everybody who is logged in"
        );
        assert!(doubts_of_spec[1].contains("every service account of the namespace argocd"));
        assert!(doubts_of_spec[2].contains("without spec.ownership"));
        assert!(doubts(json!({"gitOpsWriters": [{"user": "ci"}], "ownership": "Warn"})).is_empty());
    }
}
