//! The sources of templates: git, and local folders for trials.

use std::{collections::BTreeMap, path::PathBuf};

use module::api::{SourceType, TemplateReference};
use renderer::ChartFile;
use template_source::{
    Access, FetchedTemplate, GitCredentials, GitTemplates, LocalTemplates, SourceError, SourceOptions, TemplateLocation,
};

use super::{Part, TemplateError, TemplateProvider, chain};

/// Takes some repositories from local folders, whatever version is asked for, and the rest from git.
pub struct Sources {
    roots: BTreeMap<String, PathBuf>,
    local: LocalTemplates,
    git: GitTemplates,
    credentials_namespace: String,
}

impl Sources {
    /// Sources without credentials yet. `roots`: repositories that local folders stand for. `credentials_namespace`:
    /// where people are told that credentials are missing.
    pub fn new(
        git: SourceOptions,
        roots: impl IntoIterator<Item = (String, PathBuf)>,
        credentials_namespace: String,
    ) -> Self {
        let roots: BTreeMap<_, _> = roots.into_iter().collect();
        Self { local: LocalTemplates::new(roots.clone()), git: GitTemplates::new(git), roots, credentials_namespace }
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
        match failure(error) {
            TemplateError::Invalid { part, problem } => TemplateError::Invalid { part, problem: problem + &hint },
            unavailable => unavailable,
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
        supported(reference)?;
        let resolved = self.git.resolve(&reference.repo, &reference.version, access);
        resolved.map_err(|error| self.git_failure(&error, access))
    }

    fn fetch(
        &self,
        reference: &TemplateReference,
        digest: &str,
        access: Access,
    ) -> Result<Vec<ChartFile>, TemplateError> {
        if let Some(local) = self.local(reference) {
            let template = local?;
            if template.digest != digest {
                let problem = format!("the folder that stands for {} has changed since {digest}", reference.repo);
                return Err(TemplateError::Unavailable { problem });
            }
            return Ok(template.files);
        }
        supported(reference)?;
        let fetched = self.git.fetch(&reference.repo, &reference.path, digest, access);
        fetched.map(|template| template.files).map_err(|error| self.git_failure(&error, access))
    }
}

fn supported(reference: &TemplateReference) -> Result<(), TemplateError> {
    let kind = match reference.source_type {
        Some(SourceType::Helm) => "a Helm repository",
        Some(SourceType::Oci) => "an OCI registry",
        None if reference.repo.starts_with("oci://") => "an OCI registry",
        Some(SourceType::Git) | None => return Ok(()),
    };
    let problem = format!("{} is {kind}; templates can be taken from git repositories only", reference.repo);
    Err(TemplateError::Invalid { part: Part::Repository, problem })
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
        | SourceError::NotMapped { .. } => Part::Repository,
        SourceError::PathNotFound { .. } | SourceError::InvalidPath { .. } | SourceError::NotAChart { .. } => {
            Part::Path
        }
        SourceError::UnknownVersion { .. } | SourceError::InvalidVersion { .. } => Part::Version,
        _ => Part::Reference,
    };
    TemplateError::Invalid { part, problem }
}
