//! The sources of templates: git, and local folders for trials.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use module::api::{SourceType, TemplateReference};
use renderer::ChartFile;
use template_source::{
    Access, CertificateAuthorities, FetchedTemplate, GitOptions, GitTemplates, LocalTemplates, SourceError,
    SourceLimits, TemplateLocation,
};

use super::{Part, TemplateError, TemplateProvider, chain};

/// Takes some repositories from local folders, whatever version is asked for, and the rest from git.
pub struct Sources {
    roots: BTreeMap<String, PathBuf>,
    local: LocalTemplates,
    git: GitTemplates,
}

impl Sources {
    /// Sources that keep what they fetch below `cache_directory`. `roots`: repositories that local folders stand for.
    pub fn new(cache_directory: &Path, roots: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let roots: BTreeMap<_, _> = roots.into_iter().collect();
        Self {
            local: LocalTemplates::new(roots.clone()),
            git: GitTemplates::new(GitOptions {
                cache_directory: cache_directory.to_owned(),
                limits: SourceLimits::default(),
                authorities: CertificateAuthorities::default(),
            }),
            roots,
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
    fn resolve(&self, reference: &TemplateReference) -> Result<String, TemplateError> {
        if let Some(local) = self.local(reference) {
            return local.map(|template| template.digest);
        }
        supported(reference)?;
        self.git.resolve(&reference.repo, &reference.version, Access::Anonymous).map_err(|error| failure(&error))
    }

    fn fetch(&self, reference: &TemplateReference, digest: &str) -> Result<Vec<ChartFile>, TemplateError> {
        if let Some(local) = self.local(reference) {
            let template = local?;
            if template.digest != digest {
                let problem = format!("the folder that stands for {} has changed since {digest}", reference.repo);
                return Err(TemplateError::Unavailable { problem });
            }
            return Ok(template.files);
        }
        supported(reference)?;
        let fetched = self.git.fetch(&reference.repo, &reference.path, digest, Access::Anonymous);
        fetched.map(|template| template.files).map_err(|error| failure(&error))
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
