//! Templates in memory: resolved references for moments, loaded charts by digest for as long as there is room.

mod cache;
mod fetches;
mod sources;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use module::{
    Template,
    api::TemplateReference,
    policy::{EffectivePolicy, canonical_repository},
};
use renderer::{Chart, ChartFile};
use template_source::Access;

pub use sources::Sources;

use crate::{
    metrics::{CacheName, Metrics, TemplateResult, TemplateStep},
    workers::Workers,
};
use cache::{Cache, Lifetime};
use fetches::Fetches;

/// How long a moving reference keeps what it resolved to. Long enough that the hooks of one write agree, short enough
/// that a push is seen by the next one.
const RESOLUTION_LIFETIME: Duration = Duration::from_secs(10);

/// A source that does not answer is not asked again for this long: a burst of writes costs one attempt.
const OUTAGE_LIFETIME: Duration = Duration::from_secs(3);

/// A reference that names nothing is asked for again after this long: somebody may be about to push it.
const INVALID_LIFETIME: Duration = Duration::from_secs(10);

/// Resolutions remembered.
const RESOLUTIONS: usize = 4096;

/// Charts kept loaded.
const CHARTS: usize = 256;

/// Bytes of chart files kept loaded. A loaded chart takes a few times its files.
const CHART_BYTES: usize = 64 << 20;

/// Why a template could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The reference names nothing that is a template: who wrote it has to change it.
    #[error("{problem}")]
    Invalid {
        /// Which part of the reference is wrong, as far as that can be told.
        part: Part,
        /// What is wrong with what.
        problem: String,
    },
    /// The source could not be reached: trying again may help.
    #[error("{problem}")]
    Unavailable {
        /// What could not be reached, and why.
        problem: String,
    },
}

/// A part of a template reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole.
    Reference,
    /// `repo`.
    Repository,
    /// `path`.
    Path,
    /// `version`.
    Version,
}

impl Part {
    /// The field, below the one that holds the reference, such as `spec.template`.
    pub fn field(self, reference: &str) -> String {
        match self {
            Self::Reference => reference.to_owned(),
            Self::Repository => format!("{reference}.repo"),
            Self::Path => format!("{reference}.path"),
            Self::Version => format!("{reference}.version"),
        }
    }
}

/// Where templates come from. Calls block; they are made on threads that may.
pub trait TemplateProvider: Send + Sync + 'static {
    /// What a reference stands for now: a digest that names content for good.
    fn resolve(&self, reference: &TemplateReference, access: Access) -> Result<String, TemplateError>;

    /// A chart.
    fn fetch(&self, reference: &TemplateReference, digest: &str, access: Access)
    -> Result<ChartContent, TemplateError>;
}

/// A chart as a source hands it out. Helm reads `.helmignore` in a folder only.
#[derive(Clone, Debug)]
pub enum ChartContent {
    /// The files of its folder.
    Files(Vec<ChartFile>),
    /// A `.tgz` archive.
    Archive(Vec<u8>),
}

/// Resolves, fetches and keeps templates. Requests that want the same one share a fetch.
pub struct Templates {
    provider: Arc<dyn TemplateProvider>,
    workers: Workers,
    metrics: Arc<Metrics>,
    fetches: Arc<Fetches>,
    resolutions: Cache<(TemplateReference, Access), String>,
    charts: Cache<ChartKey, Loaded>,
}

/// Names a chart's content. A digest alone is not enough: a commit holds many charts. What was fetched with credentials
/// is not for those who may not use them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ChartKey {
    repository: String,
    path: String,
    digest: String,
    access: Access,
}

#[derive(Clone)]
struct Loaded {
    template: Arc<Template>,
    bytes: usize,
    since: Instant,
}

impl Templates {
    /// An empty cache before a provider.
    pub fn new(provider: Arc<dyn TemplateProvider>, workers: Workers, metrics: Arc<Metrics>) -> Self {
        Self {
            fetches: Arc::default(),
            resolutions: Cache::new(RESOLUTIONS, usize::MAX, metrics.cache(CacheName::References)),
            charts: Cache::new(CHARTS, CHART_BYTES, metrics.cache(CacheName::Templates)),
            provider,
            workers,
            metrics,
        }
    }

    /// The digest that a reference stands for, as of at most `RESOLUTION_LIFETIME` ago.
    pub async fn resolve(&self, reference: &TemplateReference, access: Access) -> Result<String, TemplateError> {
        let provider = Arc::clone(&self.provider);
        let (fetches, metrics) = (Arc::clone(&self.fetches), Arc::clone(&self.metrics));
        let key = (reference.clone(), access);
        let wanted = reference.clone();
        self.resolutions
            .get(&key, resolution_lifetime, |_| 0, async move {
                let repository = wanted.repo.clone();
                let work = measured(metrics, TemplateStep::Resolve, move || provider.resolve(&wanted, access));
                fetches.run(&repository, work).await
            })
            .await
    }

    /// The digest that a reference stands for now.
    pub async fn resolve_again(&self, reference: &TemplateReference, access: Access) -> Result<String, TemplateError> {
        self.resolutions.forget(&(reference.clone(), access));
        self.resolve(reference, access).await
    }

    /// The template that `digest` names at the reference's repository and path.
    pub async fn load(
        &self,
        reference: &TemplateReference,
        digest: &str,
        access: Access,
    ) -> Result<Arc<Template>, TemplateError> {
        let repository = canonical_repository(&reference.repo)
            .map_err(|error| TemplateError::Invalid { part: Part::Repository, problem: error.to_string() })?;
        let key = ChartKey { repository, path: reference.path.clone(), digest: digest.to_owned(), access };
        let provider = Arc::clone(&self.provider);
        let (fetches, metrics) = (Arc::clone(&self.fetches), Arc::clone(&self.metrics));
        let workers = self.workers.clone();
        let (wanted, repository) = (reference.clone(), reference.repo.clone());
        let digest = digest.to_owned();
        let load = async move {
            let name = describe(&wanted);
            let content = digest.clone();
            let since = Instant::now();
            let fetch =
                measured(Arc::clone(&metrics), TemplateStep::Fetch, move || provider.fetch(&wanted, &content, access));
            let content = fetches.run(&repository, fetch).await?;
            let template = workers
                .run(measured(metrics, TemplateStep::Read, move || read(content, &name, digest)))
                .await
                .map_err(|error| TemplateError::Unavailable { problem: error.to_string() })??;
            let bytes = template.chart().raw_files().map(|(_, data)| data.len()).sum();
            Ok(Loaded { template: Arc::new(template), bytes, since })
        };
        let loaded = self.charts.get(&key, chart_lifetime, |loaded| loaded.bytes, load).await?;
        self.metrics.template_used(loaded.since.elapsed());
        Ok(loaded.template)
    }
}

/// As whom the templates of a namespace are fetched, whose sources have been checked. Credentials are for those that a
/// policy lists: otherwise whoever writes Modules anywhere could read what they open.
pub fn access(policy: &EffectivePolicy) -> Access {
    if policy.lists_sources() { Access::WithCredentials } else { Access::Anonymous }
}

/// How people name a template.
pub fn describe(reference: &TemplateReference) -> String {
    let version = if reference.version.is_empty() { "the default branch" } else { &reference.version };
    if reference.path.is_empty() {
        format!("{} at {version}", reference.repo)
    } else {
        format!("{} in {} at {version}", reference.path, reference.repo)
    }
}

fn read(content: ChartContent, name: &str, digest: String) -> Result<Template, TemplateError> {
    let invalid = |error: &dyn std::error::Error| TemplateError::Invalid {
        part: Part::Reference,
        problem: format!("the template {name} is not a usable chart: {}", chain(error)),
    };
    let chart = match content {
        ChartContent::Files(files) => Chart::load(files),
        ChartContent::Archive(archive) => Chart::load_archive(&archive),
    };
    let chart = chart.map_err(|error| invalid(&error))?;
    Template::new(chart, digest).map_err(|error| invalid(&error))
}

/// The same work, counted as a step with its time.
fn measured<T>(
    metrics: Arc<Metrics>,
    step: TemplateStep,
    work: impl FnOnce() -> Result<T, TemplateError>,
) -> impl FnOnce() -> Result<T, TemplateError> {
    move || {
        let started = Instant::now();
        let outcome = work();
        let result = match &outcome {
            Ok(_) => TemplateResult::Succeeded,
            Err(TemplateError::Invalid { .. }) => TemplateResult::Invalid,
            Err(TemplateError::Unavailable { .. }) => TemplateResult::Unavailable,
        };
        metrics.template_step(step, result, started.elapsed());
        outcome
    }
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let reason = error.to_string();
        // Some errors only pass on what their source says.
        if !text.ends_with(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        source = error.source();
    }
    text
}

fn resolution_lifetime(result: &Result<String, TemplateError>) -> Lifetime {
    match result {
        Ok(_) => Lifetime::For(RESOLUTION_LIFETIME),
        Err(error) => failure_lifetime(error),
    }
}

fn chart_lifetime(result: &Result<Loaded, TemplateError>) -> Lifetime {
    match result {
        Ok(_) => Lifetime::Forever,
        Err(error) => failure_lifetime(error),
    }
}

fn failure_lifetime(error: &TemplateError) -> Lifetime {
    Lifetime::For(match error {
        TemplateError::Invalid { .. } => INVALID_LIFETIME,
        TemplateError::Unavailable { .. } => OUTAGE_LIFETIME,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository that needs credentials.
    struct Private;

    impl TemplateProvider for Private {
        fn resolve(&self, _: &TemplateReference, access: Access) -> Result<String, TemplateError> {
            opened(access).map(|()| "digest".to_owned())
        }

        fn fetch(&self, _: &TemplateReference, _: &str, access: Access) -> Result<ChartContent, TemplateError> {
            let chart = "apiVersion: v2\nname: private\nversion: 1.0.0\n";
            let file = ChartFile { name: "Chart.yaml".to_owned(), data: chart.into() };
            opened(access).map(|()| ChartContent::Files(vec![file]))
        }
    }

    fn opened(access: Access) -> Result<(), TemplateError> {
        match access {
            Access::WithCredentials => Ok(()),
            Access::Anonymous => Err(TemplateError::Invalid { part: Part::Repository, problem: "private".to_owned() }),
        }
    }

    #[tokio::test]
    async fn what_credentials_opened_is_not_kept_for_others() {
        let metrics = Arc::new(Metrics::default());
        let workers = Workers::start(1, metrics.render_jobs_waiting()).unwrap();
        let templates = Templates::new(Arc::new(Private), workers, metrics);
        let reference = TemplateReference { repo: "https://example.com/x".to_owned(), ..TemplateReference::default() };
        let digest = templates.resolve(&reference, Access::WithCredentials).await.unwrap();
        assert!(templates.load(&reference, &digest, Access::WithCredentials).await.is_ok());
        assert!(templates.resolve(&reference, Access::Anonymous).await.is_err());
        assert!(templates.load(&reference, &digest, Access::Anonymous).await.is_err());
    }
}
