//! Names of annotations, labels and finalizers on Modules and on what they expand to.

/// Holds a [`crate::preview::PreviewQuestion`] in a dry-run write.
pub const QUESTION: &str = "module.cyclops-ui.com/question";
/// Holds the [`crate::preview::PreviewAnswer`] of a dry-run write.
pub const ANSWER: &str = "module.cyclops-ui.com/answer";
/// The digest that the template reference resolved to when the Module was admitted.
pub const TEMPLATE_DIGEST: &str = "module.cyclops-ui.com/template-digest";
/// The user who last changed the spec.
pub const WRITTEN_BY: &str = "module.cyclops-ui.com/written-by";
/// `"true"` when a GitOps writer has claimed the Module and its template carries locks: deletion is guarded.
pub const PROTECTED: &str = "module.cyclops-ui.com/protected";
/// `"true"` when the template marks values as immutable. For policies of the API server, which cannot read templates.
pub const LOCKED: &str = "module.cyclops-ui.com/locked";
/// What the webhook itself writes, whatever a client sends.
pub const STAMPS: [&str; 4] = [TEMPLATE_DIGEST, WRITTEN_BY, PROTECTED, LOCKED];

/// The reason for writing past the locks; counts only in the request that brings it.
pub const BREAK_GLASS: &str = "module.cyclops-ui.com/break-glass";
/// The reason for deleting a Module that is guarded: a deletion itself can bring none.
pub const BREAK_GLASS_DELETION: &str = "module.cyclops-ui.com/break-glass-deletion";
/// On a resource: the Module that it belongs to, `namespace/name`. Cyclops' label names only the Module, and two Modules
/// of one name can exist in two namespaces.
pub const OWNER: &str = "module.cyclops-ui.com/owner";

/// Cyclops: a non-empty value makes Cyclops' interface write to this Git repository instead of the cluster.
pub const WRITE_REPO: &str = "cyclops-ui.com/write-repo";
/// Cyclops: folder of the Module's file in the Git repository, a Go template over the Module.
pub const WRITE_PATH: &str = "cyclops-ui.com/write-path";
/// Cyclops: branch of the Git repository.
pub const WRITE_REVISION: &str = "cyclops-ui.com/write-revision";
/// Cyclops: whether the rendered resources are written to Git too.
pub const WRITE_CHILD_RESOURCES: &str = "cyclops-ui.com/write-child-resources";
/// The annotations that say where Git keeps a Module; locked as soon as the template has any lock.
pub const GIT_WRITE: [&str; 4] = [WRITE_REPO, WRITE_PATH, WRITE_REVISION, WRITE_CHILD_RESOURCES];

/// Cyclops: finalizer of a Module whose resources are still to be deleted.
pub const FINALIZER: &str = "cyclops-ui.com/module-resources";
/// Cyclops: label of a resource that names its Module.
pub const MODULE_LABEL: &str = "cyclops.module";
/// Kubernetes: label of a resource that names the tool which manages it.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Cyclops' value of [`MANAGED_BY_LABEL`].
pub const MANAGED_BY: &str = "cyclops";

/// Argo CD: `<application>:<group>/<kind>:<namespace>/<name>` of a resource it tracks by annotation.
pub const ARGO_CD_TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Flux: label with the name of the Kustomization that applied an object.
pub const FLUX_KUSTOMIZATION_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
/// Flux: label with the namespace of the Kustomization that applied an object.
pub const FLUX_KUSTOMIZATION_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
