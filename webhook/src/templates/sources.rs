//! The sources of templates: git, Helm repositories, OCI registries, and local folders for trials.

use std::{collections::BTreeMap, path::PathBuf};

use module::api::{SourceType, TemplateReference};
use template_source::{
    Access, FetchedTemplate, GitCredentials, GitTemplates, HelmRepositories, LocalTemplates, OciRegistries,
    SourceError, SourceOptions, TemplateLocation,
};

use super::{ChartContent, Part, TemplateError, TemplateProvider, chain};

/// The scheme of registries.
const OCI: &str = "oci://";

/// Takes some repositories from local folders, whatever version is asked for, and the rest from where they are.
pub struct Sources {
    roots: BTreeMap<String, PathBuf>,
    local: LocalTemplates,
    git: GitTemplates,
    helm: HelmRepositories,
    oci: OciRegistries,
    credentials_namespace: String,
}

impl Sources {
    /// Sources without credentials yet. `roots`: repositories that local folders stand for. `credentials_namespace`:
    /// where people are told that credentials are missing.
    pub fn new(
        options: SourceOptions,
        roots: impl IntoIterator<Item = (String, PathBuf)>,
        credentials_namespace: String,
    ) -> Self {
        let roots: BTreeMap<_, _> = roots.into_iter().collect();
        Self {
            local: LocalTemplates::new(roots.clone()),
            git: GitTemplates::new(options.clone()),
            helm: HelmRepositories::new(options.clone()),
            oci: OciRegistries::new(options),
            roots,
            credentials_namespace,
        }
    }

    /// Replaces the credentials for git.
    pub fn set_credentials(&self, credentials: Vec<GitCredentials>) {
        self.git.set_credentials(credentials);
    }

    /// A failure of git, with what can be done about it.
    fn git_failure(&self, error: &SourceError, access: Access) -> TemplateError {
        let namespace = &self.credentials_namespace;
        let hint = match (error, access) {
            (SourceError::RepositoryNotFound { status: 401 | 403 | 404, .. }, Access::Anonymous) => format!(
                "; if it is private, ask those who run the cluster: credentials take a TemplateAuthRule in the namespace \
                 {namespace}, and a ModulePolicy that lists the repository in template.sources"
            ),
            (SourceError::RepositoryNotFound { status: 401 | 403 | 404, .. }, Access::WithCredentials) => format!(
                "; if it is private, ask those who run the cluster: credentials take a TemplateAuthRule in the namespace \
                 {namespace}"
            ),
            (SourceError::CredentialsRefused { .. }, _) => format!(
                "; those who run the cluster keep them in the Secret of a TemplateAuthRule in the namespace {namespace}"
            ),
            _ => String::new(),
        };
        failure(error).with(&hint)
    }

    fn resolve_in_git(&self, reference: &TemplateReference, access: Access) -> Result<String, SourceError> {
        self.git.resolve(&reference.repo, &reference.version, access)
    }

    fn resolve_in_helm(&self, reference: &TemplateReference) -> Result<String, SourceError> {
        self.helm.resolve(&reference.repo, &reference.path, &reference.version)
    }

    /// Resolves a reference that does not say what its repository is. Cyclops looks for an `index.yaml` first
    /// (pkg/template/template.go: `determineTemplateSourceType`); most repositories are git's, which are asked here
    /// first, and a server that answers like both is none.
    fn resolve_in_either(&self, reference: &TemplateReference, access: Access) -> Result<String, TemplateError> {
        match self.resolve_in_git(reference, access) {
            Ok(digest) => Ok(digest),
            Err(error @ SourceError::UnknownVersion { .. }) => Err(self.git_failure(&error, access)),
            Err(error) => match self.resolve_in_helm(reference) {
                Ok(digest) => Ok(digest),
                // It has an index.
                Err(
                    found @ (SourceError::UnknownChart { .. }
                    | SourceError::UnknownChartVersion { .. }
                    | SourceError::InvalidConstraint { .. }
                    | SourceError::MissingArchive { .. }),
                ) => Err(helm_failure(&found)),
                Err(_) => Err(self.git_failure(&error, access)),
            },
        }
    }

    fn local(&self, reference: &TemplateReference) -> Option<Result<FetchedTemplate, TemplateError>> {
        self.roots.contains_key(&reference.repo).then(|| {
            let location = TemplateLocation {
                repo: reference.repo.clone(),
                path: reference.path.clone(),
                version: reference.version.clone(),
            };
            self.local.fetch(&location).map_err(|error| failure(&error))
        })
    }
}

impl TemplateProvider for Sources {
    fn resolve(&self, reference: &TemplateReference, access: Access) -> Result<String, TemplateError> {
        if let Some(local) = self.local(reference) {
            return local.map(|template| template.digest);
        }
        let TemplateReference { repo, path, version, .. } = reference;
        match (reference.source_type, repo.starts_with(OCI)) {
            (Some(SourceType::Git), _) => {
                self.resolve_in_git(reference, access).map_err(|error| self.git_failure(&error, access))
            }
            (Some(SourceType::Helm), _) => self.resolve_in_helm(reference).map_err(|error| helm_failure(&error)),
            (Some(SourceType::Oci), _) | (None, true) => {
                self.oci.resolve(repo, path, version).map_err(|error| helm_failure(&error))
            }
            (None, false) => self.resolve_in_either(reference, access),
        }
    }

    fn fetch(
        &self,
        reference: &TemplateReference,
        digest: &str,
        access: Access,
    ) -> Result<ChartContent, TemplateError> {
        if let Some(local) = self.local(reference) {
            let template = local?;
            if template.digest != digest {
                let problem = format!("the folder that stands for {} has changed since {digest}", reference.repo);
                return Err(TemplateError::Unavailable { problem });
            }
            return Ok(ChartContent::Files(template.files));
        }
        let TemplateReference { repo, path, version, .. } = reference;
        // A commit has no prefix: the digest says what resolved it.
        let archive = match digest.starts_with("sha256:") {
            true if repo.starts_with(OCI) => self.oci.fetch(repo, path, digest),
            true => self.helm.fetch(repo, path, version, digest),
            false => {
                let fetched = self.git.fetch(repo, path, digest, access);
                return fetched
                    .map(|template| ChartContent::Files(template.files))
                    .map_err(|error| self.git_failure(&error, access));
            }
        };
        archive.map(ChartContent::Archive).map_err(|error| helm_failure(&error))
    }
}

/// A failure of a Helm repository or a registry.
fn helm_failure(error: &SourceError) -> TemplateError {
    let hint = match error {
        SourceError::RepositoryNotFound { status: 401 | 403, .. } => {
            "; Helm repositories and registries are asked without credentials"
        }
        _ => "",
    };
    failure(error).with(hint)
}

impl TemplateError {
    /// The same with a hint, if it is one that somebody has to do something about.
    fn with(self, hint: &str) -> Self {
        match self {
            Self::Invalid { part, problem } => Self::Invalid { part, problem: problem + hint },
            unavailable @ Self::Unavailable { .. } => unavailable,
        }
    }
}

fn failure(error: &SourceError) -> TemplateError {
    let problem = chain(error);
    if error.is_temporary() {
        return TemplateError::Unavailable { problem };
    }
    let part = match error {
        SourceError::UnsupportedUrl { .. }
        | SourceError::RepositoryNotFound { .. }
        | SourceError::CredentialsRefused { .. }
        | SourceError::InvalidIndex { .. }
        | SourceError::InvalidRegistryName { .. }
        | SourceError::NotMapped { .. } => Part::Repository,
        SourceError::PathNotFound { .. }
        | SourceError::InvalidPath { .. }
        | SourceError::NotAChart { .. }
        | SourceError::NoChartLayer { .. }
        | SourceError::UnknownChart { .. } => Part::Path,
        SourceError::UnknownVersion { .. }
        | SourceError::InvalidVersion { .. }
        | SourceError::UnknownChartVersion { .. }
        | SourceError::InvalidConstraint { .. } => Part::Version,
        _ => Part::Reference,
    };
    TemplateError::Invalid { part, problem }
}
