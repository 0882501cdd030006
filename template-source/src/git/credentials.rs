//! Who to be for which repository.

use std::fmt;

use gix::credentials::helper::Action;
use gix::credentials::protocol::Outcome;
use gix::sec::identity::Account;

use super::scope::RepositoryScope;

/// A user name and a password or token for some repositories. They are sent to those alone, and only if the server asks.
/// A redirect that leads out of them gets nothing, nor does one that leads into them.
#[derive(Clone)]
pub struct GitCredentials {
    scope: RepositoryScope,
    username: String,
    password: String,
}

impl GitCredentials {
    /// Credentials for the repositories of a scope.
    pub fn new(scope: RepositoryScope, username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { scope, username: username.into(), password: password.into() }
    }

    /// Answers the transport, which asks with the URL that wants to know: after a redirect, the redirect's.
    pub(super) fn answer(&self, action: Action) -> Option<Outcome> {
        let Action::Get(context) = action else { return None };
        let url = gix::url::parse(context.url.as_ref()?).ok()?;
        self.scope.covers(&url).then(|| {
            let (username, password) = (self.username.clone(), self.password.clone());
            Outcome { identity: Account { username, password, oauth_refresh_token: None }, next: context.into() }
        })
    }
}

impl fmt::Debug for GitCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GitCredentials").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The credentials for a repository: of several, those with the closest scope, and of equals the first.
pub(super) fn closest<'a>(credentials: &'a [GitCredentials], url: &gix::Url) -> Option<&'a GitCredentials> {
    let covering = credentials.iter().filter(|credentials| credentials.scope.covers(url));
    covering.min_by_key(|credentials| credentials.scope.distance())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(expression: &str, username: &str) -> GitCredentials {
        GitCredentials::new(RepositoryScope::from_expression(expression).unwrap(), username, "secret")
    }

    #[test]
    fn the_closest_scope_counts_and_of_equals_the_first() {
        let credentials = [
            credentials("https://host", "wide"),
            credentials("https://host/team", "narrow"),
            credentials("https://host/team/", "late"),
            credentials("https://host/team/charts$", "exact"),
        ];
        let user = |url: &str| {
            let closest = closest(&credentials, &gix::url::parse(url).unwrap());
            closest.map(|credentials| credentials.username.as_str())
        };
        assert_eq!(user("https://host/other/charts"), Some("wide"));
        assert_eq!(user("https://host/team/other"), Some("narrow"));
        assert_eq!(user("https://host/team/charts.git"), Some("exact"));
        assert_eq!(user("https://elsewhere/team/charts"), None);
    }

    #[test]
    fn only_urls_of_the_scope_are_answered() {
        let credentials = credentials("https://host/team", "user");
        assert!(credentials.answer(Action::get_for_url("https://host/team/charts")).is_some());
        for url in ["https://host/other/charts", "https://other/team/charts", "http://host/team/charts"] {
            assert!(credentials.answer(Action::get_for_url(url)).is_none(), "{url}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let shown = format!("{:?}", credentials("https://host/team", "robot"));
        assert!(shown.contains("host") && !shown.contains("robot") && !shown.contains("secret"), "{shown}");
    }
}
