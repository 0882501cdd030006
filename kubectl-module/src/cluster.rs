//! The cluster: a connection with the user's own rights, and the Modules there.

mod connection;

use std::collections::HashSet;
use std::sync::Mutex;

use kube::api::{ApiResource, DynamicObject};
use kube::client::ClientBuilder;
use kube::core::{GroupVersionKind, Status};
use kube::{Api, Client};
use module::verdict::Cause;
use tower::util::MapResponseLayer;

use crate::failure::{CODE_CONFLICT, CODE_ERROR, CODE_REFUSED, Failure};
use crate::global::GlobalArguments;
use crate::refusal;
use crate::terminal::escape;

/// Our name in `metadata.managedFields`. Flux takes over what managers whose name begins with `kubectl` wrote.
pub(crate) const FIELD_MANAGER: &str = "module-edit";

/// What can be done where there is no cluster.
const WITHOUT_CLUSTER: &str =
    "without a cluster, preview, explain, set, edit and render take a file: -f FILE --offline; check needs none";

/// A connection to a cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
    namespace: String,
    address: String,
}

impl Cluster {
    /// Connects as kubectl would, with the same flags and files.
    pub(crate) async fn connect(globals: &GlobalArguments) -> Result<Self, Failure> {
        let config = connection::config(globals).await?;
        let namespace = globals.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let address = config.cluster_url.to_string();
        let client = ClientBuilder::try_from(config)?.with_layer(&MapResponseLayer::new(print_warnings)).build();
        Ok(Self { client, namespace, address })
    }

    /// A connection for tests.
    #[cfg(test)]
    pub(crate) fn with_client(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned(), address: "https://example.com/".to_owned() }
    }

    /// The namespace that the command is about.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The Modules of the namespace.
    pub(crate) fn modules(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource())
    }

    /// The Modules of all namespaces.
    pub(crate) fn all_modules(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &resource())
    }

    /// A read that failed.
    pub(crate) fn failure(&self, attempt: &str, error: kube::Error) -> Failure {
        match error {
            kube::Error::Api(status) => Failure::message(CODE_ERROR, format!("{attempt}: {}", status.message)),
            error => {
                let attempt = format!("{attempt}: no answer from {}", self.address);
                Failure::new(CODE_ERROR, anyhow::Error::new(error).context(attempt)).hint(WITHOUT_CLUSTER)
            }
        }
    }

    /// A write of a Module that failed. What the server refuses has its code, and every cause stands on a line of its
    /// own.
    pub(crate) fn write_failure(&self, name: &str, error: kube::Error) -> Failure {
        match error {
            kube::Error::Api(status) => not_written(name, &status),
            error => self.failure(&format!("module {name} was not changed"), error),
        }
    }
}

/// The resource under its full name: other projects have a kind `Module` too.
pub(crate) fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("cyclops-ui.com", "v1alpha1", "Module"), "modules")
}

/// A Module's name as people write it: `demo`, `module/demo`, `modules.cyclops-ui.com/demo`.
pub(crate) fn module_name(text: &str) -> Result<&str, Failure> {
    let name = match text.split_once('/') {
        None => text,
        Some(("module" | "modules" | "module.cyclops-ui.com" | "modules.cyclops-ui.com", name)) => name,
        Some((kind, _)) => return Err(Failure::usage(format!("{text}: {kind} is no kind of Module"))),
    };
    if name.is_empty() {
        return Err(Failure::usage("the Module has no name"));
    }
    Ok(name)
}

fn not_written(name: &str, status: &Status) -> Failure {
    let code = match status.code {
        409 => CODE_CONFLICT,
        403 | 422 => CODE_REFUSED,
        _ => CODE_ERROR,
    };
    let causes: Vec<Cause> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .map(|cause| Cause { field: cause.field.clone(), message: cause.message.clone() })
        .collect();
    let attempt = match code {
        CODE_REFUSED => format!("the change of module {name} is refused"),
        _ => format!("module {name} was not changed"),
    };
    // The message says the same as the causes, in one line.
    let text = if causes.is_empty() { format!("{attempt}: {}", status.message) } else { attempt };
    Failure::message(code, text).details(refusal::details(&causes)).causes(causes)
}

/// Prints the warnings that a response carries, each text once for the whole process.
fn print_warnings<B>(response: http::Response<B>) -> http::Response<B> {
    static PRINTED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    for value in response.headers().get_all("warning") {
        let Some(text) = value.to_str().ok().and_then(warning_text) else { continue };
        let Ok(mut printed) = PRINTED.lock() else { continue };
        if printed.get_or_insert_default().insert(text.clone()) {
            eprintln!("Warning: {}", escape(&text));
        }
    }
    response
}

/// The text of a warning header: `299 - "text"` (RFC 7234, section 5.5).
fn warning_text(header: &str) -> Option<String> {
    let (_, rest) = header.split_once('"')?;
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.extend(characters.next()),
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(module_name("demo").unwrap(), "demo");
        assert_eq!(module_name("module/demo").unwrap(), "demo");
        assert_eq!(module_name("modules.cyclops-ui.com/demo").unwrap(), "demo");
        assert!(module_name("pod/demo").is_err());
        assert!(module_name("module/").is_err());
    }

    #[test]
    fn warnings_are_unquoted() {
        assert_eq!(warning_text(r#"299 - "a \"b\" c" "date""#).as_deref(), Some(r#"a "b" c"#));
        assert_eq!(warning_text("299 - unquoted"), None);
    }

    #[test]
    fn refusals_name_every_cause() {
        let status: Status = serde_json::from_value(serde_json::json!({
            "code": 422, "message": "refused",
            "details": {"causes": [{"field": "spec.values.a", "message": "is locked"}]}
        }))
        .unwrap();
        assert_eq!(not_written("a/b", &status).code(), CODE_REFUSED);
    }
}
