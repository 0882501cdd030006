//! Plain HTTP to the API server, for what kubectl does not send.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity, Method, RequestBuilder};
use serde_json::{Value, json};

use super::Cluster;

/// Somebody who talks to the API server: proven by a certificate, a token, or headers of impersonation.
#[derive(Clone, Debug)]
pub struct Client {
    server: String,
    http: reqwest::Client,
    headers: HeaderMap,
}

impl Client {
    /// A client that proves what a user of a kubeconfig proves, for the first cluster of that kubeconfig.
    pub fn new(kubeconfig: &Value, user: &Value) -> Result<Self> {
        // The first installation in this process cannot fail, a second one changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let cluster = &kubeconfig["clusters"][0]["cluster"];
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &str| -> Result<()> {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value)?);
            Ok(())
        };
        if let Some(name) = user["as"].as_str() {
            add("impersonate-user", name)?;
        }
        for group in user["as-groups"].as_array().into_iter().flatten() {
            add("impersonate-group", &text(group)?)?;
        }
        if let Some(token) = user["token"].as_str() {
            add("authorization", &format!("Bearer {token}"))?;
        }
        let authority = BASE64_STANDARD.decode(text(&cluster["certificate-authority-data"])?)?;
        let mut builder =
            reqwest::Client::builder().tls_certs_only(Certificate::from_pem_bundle(&authority)?).no_proxy();
        if user["client-certificate-data"].is_string() {
            builder = builder.identity(identity(user)?);
        }
        Ok(Self { server: text(&cluster["server"])?, http: builder.build()?, headers })
    }

    /// A request for a path of the API, such as `/api/v1/namespaces`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server)).headers(self.headers.clone())
    }
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("the kubeconfig lacks a text")
}

fn user<'a>(kubeconfig: &'a Value, context: &str) -> Result<&'a Value> {
    let users = kubeconfig["users"].as_array().map(Vec::as_slice).unwrap_or_default();
    let user = users.iter().find(|user| user["name"] == context).context("there is no such context")?;
    Ok(&user["user"])
}

/// The client certificate of a user of a kubeconfig.
fn identity(user: &Value) -> Result<Identity> {
    let mut pem = BASE64_STANDARD.decode(text(&user["client-certificate-data"])?)?;
    pem.extend(BASE64_STANDARD.decode(text(&user["client-key-data"])?)?);
    Ok(Identity::from_pem(&pem)?)
}

impl Cluster {
    /// The kubeconfig with one user for each context.
    pub fn kubeconfig(&self) -> Result<Value> {
        let text = std::fs::read_to_string(self.layout.kubeconfig())?;
        serde_yaml::from_str(&text).context("the kubeconfig is not readable")
    }

    /// A client that acts as one of the contexts.
    pub fn client(&self, context: &str) -> Result<Client> {
        let config = self.kubeconfig()?;
        Client::new(&config, user(&config, context)?)
    }

    /// The client certificate of one of the contexts.
    pub fn identity(&self, context: &str) -> Result<Identity> {
        identity(user(&self.kubeconfig()?, context)?)
    }

    /// A client that acts as a service account, with a token of its own.
    pub fn service_account_client(&self, namespace: &str, account: &str) -> Result<Client> {
        Client::new(&self.kubeconfig()?, &json!({ "token": self.token(namespace, account)? }))
    }
}
