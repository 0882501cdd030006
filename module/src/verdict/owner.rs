//! Where Git keeps a Module, as far as the object says. For messages only: anybody can write annotations.

use serde_json::Value;

use super::object::{annotation, label};
use crate::annotations;

/// What the object says about its place in Git.
pub(super) fn place(object: &Value) -> Option<String> {
    write_place(object).or_else(|| argo_cd(object)).or_else(|| flux(object))
}

fn write_place(object: &Value) -> Option<String> {
    let repo = annotation(object, annotations::WRITE_REPO).filter(|repo| !repo.is_empty())?;
    let part = |name: &str, before: &str| match annotation(object, name) {
        Some(value) if !value.is_empty() => format!("{before}{value}"),
        _ => String::new(),
    };
    let path = part(annotations::WRITE_PATH, ", folder ");
    let revision = part(annotations::WRITE_REVISION, ", branch ");
    Some(format!("{}{path}{revision}", without_credentials(repo)))
}

fn argo_cd(object: &Value) -> Option<String> {
    let tracking = annotation(object, annotations::ARGO_CD_TRACKING_ID)?;
    let application = tracking.split(':').next().filter(|application| !application.is_empty())?;
    Some(format!("the source of the Argo CD application {application}"))
}

fn flux(object: &Value) -> Option<String> {
    let name = label(object, annotations::FLUX_KUSTOMIZATION_NAME)?;
    let namespace = label(object, annotations::FLUX_KUSTOMIZATION_NAMESPACE)?;
    Some(format!("the source of the Flux Kustomization {namespace}/{name}"))
}

/// A URL without user name and password.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn git_is_named_without_credentials() {
        let object = json!({"metadata": {"annotations": {
            "cyclops-ui.com/write-repo": "https://me:secret@git.example.com/apps",
            "cyclops-ui.com/write-path": "apps",
            "cyclops-ui.com/write-revision": "main",
            "argocd.argoproj.io/tracking-id": "shop:cyclops-ui.com/Module:team-a/shop",
        }}});
        assert_eq!(place(&object).unwrap(), "https://git.example.com/apps, folder apps, branch main");
    }

    #[test]
    fn gitops_tools_are_named() {
        let object =
            json!({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:cyclops-ui.com/Module:a/b"}}});
        assert_eq!(place(&object).unwrap(), "the source of the Argo CD application shop");
        let object = json!({"metadata": {"labels": {
            "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        }}});
        assert_eq!(place(&object).unwrap(), "the source of the Flux Kustomization flux-system/apps");
        assert_eq!(place(&json!({})), None);
    }
}
