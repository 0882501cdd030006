//! What is wrong with a policy, found when it is written.

use super::glob::{Glob, GlobError};
use super::types::{KindPattern, ModulePolicySpec, Subject};

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
            "expansion": {"deny": [{"group": "***", "kind": "Role"}]},
        }))
        .unwrap();
        let fields: Vec<String> = validate(&spec).into_iter().map(|error| error.field).collect();
        assert_eq!(
            fields,
            [
                "spec.match.namespaces[1]",
                "spec.gitOpsWriters[0]",
                "spec.gitOpsWriters[1]",
                "spec.expansion.deny[0].group"
            ]
        );
        assert!(validate(&ModulePolicySpec::default()).is_empty());
    }
}
