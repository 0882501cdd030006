//! For whom is judged where there is no server that knows who asks.

use module::Requester;
use module::policy::{EffectivePolicy, Subject};

use crate::failure::Failure;
use crate::global::GlobalArguments;

/// The identity that flags name; none without them.
pub(crate) fn of_flags(globals: &GlobalArguments) -> Result<Option<Requester>, Failure> {
    match &globals.impersonate {
        Some(username) => Ok(Some(authenticated(username, globals.impersonate_group.iter().cloned()))),
        None if globals.impersonate_group.is_empty() => Ok(None),
        None => Err(Failure::usage("--as-group needs --as: a group alone writes nothing")),
    }
}

/// A GitOps writer whom all policies name; none if there is none.
pub(crate) fn git_ops_writer(policy: &EffectivePolicy) -> Option<Requester> {
    policy.git_ops_writers().into_iter().find_map(|subject| match subject {
        Subject { service_account: Some(account), user: None, group: None } => {
            Some(authenticated(&Requester::service_account_username(&account.namespace, &account.name), []))
        }
        Subject { service_account: None, user: Some(user), group: None } => Some(authenticated(user, [])),
        Subject { service_account: None, user: None, group: Some(group) } => Some(authenticated("", [group.clone()])),
        _ => None,
    })
}

/// With the groups that the API server adds (`staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation.go`).
fn authenticated(username: &str, groups: impl IntoIterator<Item = String>) -> Requester {
    let mut requester = Requester { groups: groups.into_iter().collect(), ..Requester::named(username) };
    if let Some((namespace, _)) = requester.service_account() {
        let namespace = format!("system:serviceaccounts:{namespace}");
        requester.groups.extend(["system:serviceaccounts".to_owned(), namespace]);
    }
    requester.groups.insert("system:authenticated".to_owned());
    requester
}

#[cfg(test)]
mod tests {
    use module::policy::{ModulePolicy, Policies};
    use serde_json::json;

    use super::*;

    #[test]
    fn service_accounts_have_their_groups() {
        let flags = GlobalArguments {
            impersonate: Some("system:serviceaccount:argocd:controller".to_owned()),
            impersonate_group: vec!["extra".to_owned()],
            ..GlobalArguments::default()
        };
        let requester = of_flags(&flags).unwrap().unwrap();
        let groups: Vec<_> = requester.groups.iter().map(String::as_str).collect();
        assert_eq!(
            groups,
            ["extra", "system:authenticated", "system:serviceaccounts", "system:serviceaccounts:argocd"]
        );
        let group_only = GlobalArguments { impersonate: None, ..flags };
        assert!(of_flags(&group_only).is_err());
        assert_eq!(of_flags(&GlobalArguments::default()).unwrap(), None);
    }

    #[test]
    fn the_writer_is_one_for_all_policies() {
        let policy = |name: &str, writers| -> ModulePolicy {
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"gitOpsWriters": writers}})).unwrap()
        };
        for writer in
            [json!({"user": "ci"}), json!({"group": "ci"}), json!({"serviceAccount": {"namespace": "a", "name": "b"}})]
        {
            let both = [policy("a", json!([{"user": "other"}, writer])), policy("b", json!([writer]))];
            let effective = Policies::new(both).effective("team-a");
            let found = git_ops_writer(&effective).unwrap();
            assert!(effective.is_git_ops_writer(&found), "{writer}");
        }
        assert_eq!(git_ops_writer(&EffectivePolicy::default()), None);
    }
}
