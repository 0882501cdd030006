//! Credentials for template repositories: what the `TemplateAuthRules` of one namespace say, with the Secrets that they
//! name. What cannot be used is told in the log, and the repositories are asked as by anybody.

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use module::api::{SecretKeySelector, TemplateAuthRule, TemplateAuthRuleSpec};
use template_source::{GitCredentials, RepositoryScope, ScopeError};
use tokio::time::MissedTickBehavior;

use crate::{
    health::{Condition, Readiness},
    serve::CERTIFICATE_SECRET,
    templates::Sources,
};

/// How often Secrets are read: they change without their rule, and whoever may read single ones may not watch any.
const SECRETS_INTERVAL: Duration = Duration::from_mins(1);

/// The rules, and what they came to.
pub struct CredentialRules {
    namespace: String,
    rules: Api<DeserializeGuard<TemplateAuthRule>>,
    secrets: Api<Secret>,
    /// By the names of the rules: Cyclops' order, in which the first of equals counts.
    outcomes: BTreeMap<String, Outcome>,
}

/// What a rule came to.
#[derive(Default)]
struct Outcome {
    credentials: Option<GitCredentials>,
    /// What was told about it.
    told: String,
}

/// Why a rule gives no credentials. Nothing of what a Secret holds is in here.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("it is not a TemplateAuthRule: {0}")]
    Rule(String),
    #[error("spec.repo {repo}: {error}")]
    Scope { repo: String, error: ScopeError },
    #[error("there is no Secret {0}")]
    NoSecret(String),
    #[error("the Secret {0} is the webhook's own")]
    Own(String),
    #[error("the webhook may not read the Secret {0}: grant it the verb get on it by a Role")]
    Forbidden(String),
    #[error("the Secret {secret} has no text under the key {key}")]
    NoText { secret: String, key: String },
    #[error("the Secret {0} cannot be read now")]
    Unreachable(String),
}

impl CredentialRules {
    /// The rules of a namespace.
    pub fn new(client: Client, namespace: String) -> Self {
        Self {
            rules: Api::namespaced(client.clone(), &namespace),
            secrets: Api::namespaced(client, &namespace),
            namespace,
            outcomes: BTreeMap::new(),
        }
    }

    /// Keeps the credentials of template sources current. Ends only if the watch does.
    pub async fn follow(mut self, sources: &Sources, readiness: &Readiness) {
        let events = watcher::watcher(self.rules.clone(), watcher::Config::default()).default_backoff();
        let mut events = std::pin::pin!(events);
        let mut interval = tokio::time::interval(SECRETS_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = BTreeMap::new();
        let mut listed = BTreeMap::new();
        // Without rules, or the right to list them, the webhook serves all the same.
        let mut looked = false;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    None => return,
                    Some(Ok(Event::Init)) => listed.clear(),
                    Some(Ok(Event::InitApply(rule))) => drop(listed.insert(rule.name_any(), read(rule))),
                    Some(Ok(Event::InitDone)) => {
                        known = std::mem::take(&mut listed);
                        looked = true;
                        interval.reset_immediately();
                    }
                    Some(Ok(Event::Apply(rule))) => {
                        known.insert(rule.name_any(), read(rule));
                        interval.reset_immediately();
                    }
                    Some(Ok(Event::Delete(rule))) => {
                        known.remove(&rule.name_any());
                        interval.reset_immediately();
                    }
                    Some(Err(error)) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "cannot watch TemplateAuthRules; retrying");
                        looked = true;
                        interval.reset_immediately();
                    }
                },
                _ = interval.tick() => {
                    sources.set_credentials(self.credentials(&known).await);
                    if looked {
                        readiness.set(Condition::Credentials);
                    }
                }
            }
        }
    }

    /// Reads all Secrets.
    async fn credentials(
        &mut self,
        rules: &BTreeMap<String, Result<TemplateAuthRuleSpec, String>>,
    ) -> Vec<GitCredentials> {
        self.outcomes.retain(|name, _| rules.contains_key(name));
        for (name, rule) in rules {
            let result = match rule {
                Ok(spec) => self.credentials_of(spec).await,
                Err(error) => Err(Problem::Rule(error.clone())),
            };
            let outcome = self.outcomes.entry(name.clone()).or_default();
            let told = match result {
                Ok((scope, credentials)) => {
                    outcome.credentials = Some(credentials);
                    format!("gives credentials for {scope}")
                }
                // They are good until something else is known.
                Err(Problem::Unreachable(_)) if outcome.credentials.is_some() => continue,
                Err(problem) => {
                    outcome.credentials = None;
                    format!("gives no credentials: {problem}")
                }
            };
            if told != outcome.told {
                let namespace = &self.namespace;
                if outcome.credentials.is_some() {
                    tracing::info!(namespace, name, "TemplateAuthRule {told}");
                } else {
                    tracing::warn!(namespace, name, "TemplateAuthRule {told}");
                }
                outcome.told = told;
            }
        }
        self.outcomes.values().filter_map(|outcome| outcome.credentials.clone()).collect()
    }

    async fn credentials_of(&self, rule: &TemplateAuthRuleSpec) -> Result<(String, GitCredentials), Problem> {
        let repo = &rule.repo;
        let scope =
            RepositoryScope::from_expression(repo).map_err(|error| Problem::Scope { repo: repo.clone(), error })?;
        let username = self.secret(&rule.username).await?;
        // Mostly the same Secret: both of one moment.
        let password =
            if rule.password.name == rule.username.name { &username } else { &self.secret(&rule.password).await? };
        let (username, password) = (text(&username, &rule.username)?, text(password, &rule.password)?);
        Ok((scope.to_string(), GitCredentials::new(scope, username, password)))
    }

    async fn secret(&self, selector: &SecretKeySelector) -> Result<Secret, Problem> {
        let name = || selector.name.clone();
        // Anything else would be another path of the API server.
        let part_of_name = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || "-.".contains(sign);
        if !selector.name.starts_with(|sign: char| sign.is_ascii_alphanumeric())
            || !selector.name.chars().all(part_of_name)
        {
            return Err(Problem::NoSecret(name()));
        }
        // Whoever writes rules has what their Secrets hold sent to a server of their choice.
        if selector.name == CERTIFICATE_SECRET {
            return Err(Problem::Own(name()));
        }
        match self.secrets.get_opt(&selector.name).await {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(Problem::NoSecret(name())),
            Err(kube::Error::Api(status)) if status.code == 403 => Err(Problem::Forbidden(name())),
            // What a client says of an answer that it cannot read may hold some of it.
            Err(_) => Err(Problem::Unreachable(name())),
        }
    }
}

fn read(rule: DeserializeGuard<TemplateAuthRule>) -> Result<TemplateAuthRuleSpec, String> {
    rule.0.map(|rule| rule.spec).map_err(|invalid| invalid.error)
}

/// The text under a key, without the line break that `echo` leaves.
fn text(secret: &Secret, selector: &SecretKeySelector) -> Result<String, Problem> {
    let value = secret.data.as_ref().and_then(|data| data.get(&selector.key));
    let text =
        value.and_then(|value| std::str::from_utf8(&value.0).ok()).map(|text| text.trim_end_matches(['\r', '\n']));
    match text {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Problem::NoText { secret: secret.name_any(), key: selector.key.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    /// What the API server says of a Secret.
    type Secrets = Arc<Mutex<BTreeMap<&'static str, (u16, Value)>>>;

    fn rules(secrets: &Secrets) -> CredentialRules {
        let secrets = Arc::clone(secrets);
        let service = tower::service_fn(move |request: Request<Body>| {
            let name = request.uri().path().rsplit('/').next().unwrap_or_default();
            let unknown = (404, json!({"code": 404, "reason": "NotFound", "status": "Failure", "message": ""}));
            let (code, body) = secrets.lock().unwrap().get(name).cloned().unwrap_or(unknown);
            let response = Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
            async move { response.map_err(tower::BoxError::from) }
        });
        CredentialRules::new(Client::new(service, "default"), "cyclops".to_owned())
    }

    fn secret(name: &str, data: &Value) -> (u16, Value) {
        (200, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}))
    }

    fn rule(repo: &str, secret: &str) -> Result<TemplateAuthRuleSpec, String> {
        let selector = |key: &str| SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), optional: None };
        Ok(TemplateAuthRuleSpec { repo: repo.to_owned(), username: selector("user"), password: selector("token") })
    }

    #[tokio::test]
    async fn rules_give_credentials_or_say_why_not() {
        let (robot, token) = ("cm9ib3QK", "dDBrM24tMQo=");
        let forbidden = (403, json!({"code": 403, "reason": "Forbidden", "status": "Failure", "message": ""}));
        let secrets = Secrets::new(Mutex::new(BTreeMap::from([
            ("good", secret("good", &json!({"user": robot, "token": token}))),
            ("keyless", secret("keyless", &json!({"user": robot}))),
            ("binary", secret("binary", &json!({"user": robot, "token": "/w=="}))),
            ("denied", forbidden.clone()),
            (CERTIFICATE_SECRET, secret(CERTIFICATE_SECRET, &json!({"user": robot, "token": token}))),
        ])));
        let known = BTreeMap::from([
            ("a-good".to_owned(), rule("https://git.example.com/team/.*", "good")),
            ("b-wide".to_owned(), rule("https?://git.example.com", "good")),
            ("c-denied".to_owned(), rule("https://git.example.com/c", "denied")),
            ("d-missing".to_owned(), rule("https://git.example.com/d", "missing")),
            ("e-keyless".to_owned(), rule("https://git.example.com/e", "keyless")),
            ("f-binary".to_owned(), rule("https://git.example.com/f", "binary")),
            ("g-elsewhere".to_owned(), rule("https://git.example.com/g", "../../module-system/secrets/good")),
            ("h-own".to_owned(), rule("https://git.example.com/h", CERTIFICATE_SECRET)),
            ("i-broken".to_owned(), Err("missing field `repo`".to_owned())),
        ]);
        let mut rules = rules(&secrets);
        let credentials = rules.credentials(&known).await;
        assert_eq!(credentials.len(), 1);
        let told: Vec<&str> = rules.outcomes.values().map(|outcome| outcome.told.as_str()).collect();
        assert_eq!(
            told,
            [
                "gives credentials for https://git.example.com/team/**",
                "gives no credentials: spec.repo https?://git.example.com: it contains `?`, which is more than the URL of \
                 repositories",
                "gives no credentials: the webhook may not read the Secret denied: grant it the verb get on it by \
                 a Role",
                "gives no credentials: there is no Secret missing",
                "gives no credentials: the Secret keyless has no text under the key token",
                "gives no credentials: the Secret binary has no text under the key token",
                "gives no credentials: there is no Secret ../../module-system/secrets/good",
                "gives no credentials: the Secret module-webhook-certificates is the webhook's own",
                "gives no credentials: it is not a TemplateAuthRule: missing field `repo`",
            ]
        );
        assert!(!format!("{told:?} {credentials:?}").contains("t0k3n"));

        // An outage leaves what is known as it is, a right that is taken away does not.
        secrets.lock().unwrap().insert("good", (500, json!({"code": 500, "status": "Failure", "message": ""})));
        assert_eq!(rules.credentials(&known).await.len(), 1);
        secrets.lock().unwrap().insert("good", forbidden);
        assert_eq!(rules.credentials(&known).await.len(), 0);
    }

    #[test]
    fn a_line_break_at_the_end_is_no_part_of_a_password() {
        let secret: Secret = serde_json::from_value(secret("good", &json!({"token": "dDBrM24tMQo="})).1).unwrap();
        let selector = SecretKeySelector { key: "token".to_owned(), ..SecretKeySelector::default() };
        assert_eq!(text(&secret, &selector).unwrap(), "t0k3n-1");
    }
}
