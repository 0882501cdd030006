//! Metrics. Label values come from closed sets, never from objects or requests.

use std::{
    fmt::{self, Write},
    sync::atomic::AtomicU64,
    time::{Duration, Instant, SystemTime},
};

use module::verdict::Ground;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

/// Which endpoint was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Hook {
    /// `/validate`.
    Validate,
    /// `/mutate`.
    Mutate,
}

/// What the request was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Operation {
    /// A creation.
    Create,
    /// An update.
    Update,
    /// A deletion.
    Delete,
    /// An update of a status.
    Status,
    /// The request could not be read.
    Unknown,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Decision {
    /// Allowed.
    Allowed,
    /// Refused for what is written: 400, 413, 422.
    Invalid,
    /// Refused for who writes: 403.
    Forbidden,
    /// Refused because something could not be known or done in time: 429, 500, 503, 504.
    Unavailable,
    /// Let through although it would be refused, because nothing is enforced.
    Reported,
}

/// Why it was refused, or would have been; `None` if it was simply allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason(pub Option<Ground>);

impl EncodeLabelValue for Reason {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            Some(ground) => write!(encoder, "{ground}"),
            None => encoder.write_str("None"),
        }
    }
}

/// Labels of an admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AdmissionLabels {
    /// Which endpoint was called.
    pub hook: Hook,
    /// What the request was about.
    pub operation: Operation,
    /// How it ended.
    pub decision: Decision,
    /// Why, if it was not simply allowed.
    pub reason: Reason,
}

/// A part of a decision that may take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Stage {
    /// Waiting for a turn, and for the request's body.
    Read,
    /// Making sense of the body.
    Decode,
    /// Resolving, fetching and reading templates with their locks; almost nothing if they are at hand.
    Template,
    /// Comparing what is locked, and waiting for a thread to do so.
    Verdict,
    /// Checking values against the schema, rendering and confining, and waiting for a thread to do so.
    Render,
    /// Asking what somebody may do.
    AccessReviews,
    /// Verdict and renders for the answer to a preview.
    Preview,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: Stage,
}

/// Something done with the source of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum TemplateStep {
    /// What a reference stands for was asked.
    Resolve,
    /// Files were fetched.
    Fetch,
    /// The files were read as a chart.
    Read,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum TemplateResult {
    /// It was done.
    Succeeded,
    /// There is no such template, or it is no chart.
    Invalid,
    /// The source did not answer as it should.
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TemplateLabels {
    step: TemplateStep,
    result: TemplateResult,
}

/// What became of something that was worth an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum EventResult {
    /// It is in the cluster.
    Written,
    /// There had been enough of its kind.
    Limited,
    /// Too much waited.
    Dropped,
    /// The API server did not take it.
    Failed,
    /// A write past the locks that was allowed and is not in the cluster.
    Unconfirmed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    result: EventResult,
}

/// Labels of the latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HookLabels {
    /// Which endpoint was called.
    pub hook: Hook,
}

/// How a reconciliation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// Everything was applied.
    Succeeded,
    /// Something failed.
    Failed,
    /// Nothing had to be done.
    Unchanged,
}

/// Labels of a reconciliation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReconciliationLabels {
    /// How it ended.
    pub outcome: Outcome,
}

/// Something that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum CacheName {
    /// What references stand for.
    References,
    /// Charts, ready to be rendered.
    Templates,
    /// What Modules expand to.
    Expansions,
    /// Answers on who may do what.
    AccessReviews,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum CacheResult {
    Hit,
    Miss,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLookupLabels {
    cache: CacheName,
    result: CacheResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: CacheName,
}

/// The counters of one cache.
#[derive(Clone, Debug, Default)]
pub struct CacheCounters {
    /// Look-ups of what was at hand, or was being made already.
    pub hits: Counter,
    /// Look-ups of what had to be made.
    pub misses: Counter,
    /// What was dropped because there was no more room.
    pub evictions: Counter,
}

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    admissions: Family<AdmissionLabels, Counter>,
    admission_duration: Family<HookLabels, Histogram, fn() -> Histogram>,
    stage_duration: Family<StageLabels, Histogram, fn() -> Histogram>,
    waiting: Gauge,
    in_flight: Gauge,
    render_jobs_waiting: Gauge,
    shed: Counter,
    violated_locks: Counter,
    break_glass: Counter,
    events: Family<EventLabels, Counter>,
    reconciliations: Family<ReconciliationLabels, Counter>,
    reconciliation_duration: Histogram,
    cache_lookups: Family<CacheLookupLabels, Counter>,
    cache_evictions: Family<CacheLabels, Counter>,
    template_duration: Family<TemplateLabels, Histogram, fn() -> Histogram>,
    template_age: Histogram,
    certificate_not_after: Gauge<f64, AtomicU64>,
    installation_repairs: Counter,
    enforcing: Gauge,
    policies: Gauge,
    mistaken_policies: Gauge,
}

/// The API server waits 5 s by our configuration.
fn admission_histogram() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0])
}

/// From what is at hand to what takes all the time there is.
fn stage_histogram() -> Histogram {
    Histogram::new([0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0])
}

/// A fetch goes on after the admission that began it.
fn template_histogram() -> Histogram {
    Histogram::new([0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

/// Minute, hour, day, week, month, and steps between.
fn age_histogram() -> Histogram {
    Histogram::new([10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0, 2_592_000.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("module"),
            admissions: Family::default(),
            admission_duration: Family::new_with_constructor(admission_histogram as fn() -> Histogram),
            stage_duration: Family::new_with_constructor(stage_histogram as fn() -> Histogram),
            waiting: Gauge::default(),
            in_flight: Gauge::default(),
            render_jobs_waiting: Gauge::default(),
            shed: Counter::default(),
            violated_locks: Counter::default(),
            break_glass: Counter::default(),
            events: Family::default(),
            reconciliations: Family::default(),
            reconciliation_duration: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            cache_lookups: Family::default(),
            cache_evictions: Family::default(),
            template_duration: Family::new_with_constructor(template_histogram as fn() -> Histogram),
            template_age: age_histogram(),
            certificate_not_after: Gauge::default(),
            installation_repairs: Counter::default(),
            enforcing: Gauge::default(),
            policies: Gauge::default(),
            mistaken_policies: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("admissions", "Decided admission requests", metrics.admissions.clone());
        registry.register_with_unit(
            "admission_duration",
            "Time from the first byte of a request to its answer",
            Unit::Seconds,
            metrics.admission_duration.clone(),
        );
        registry.register_with_unit(
            "admission_stage_duration",
            "Time of the parts of a decision",
            Unit::Seconds,
            metrics.stage_duration.clone(),
        );
        registry.register("admissions_waiting", "Requests that wait to be read", metrics.waiting.clone());
        registry.register("admissions_in_flight", "Requests being decided", metrics.in_flight.clone());
        registry.register(
            "render_jobs_waiting",
            "Verdicts and renders that wait for a thread",
            metrics.render_jobs_waiting.clone(),
        );
        registry.register("requests_shed", "Requests sent away unread, because too many waited", metrics.shed.clone());
        registry.register(
            "violated_locks",
            "Locked fields that refused writes, dry runs aside, would have changed",
            metrics.violated_locks.clone(),
        );
        registry.register(
            "break_glass",
            "Writes past the locks that were allowed for their reason, dry runs aside",
            metrics.break_glass.clone(),
        );
        registry.register("events", "Refusals and broken glass that Events were to tell", metrics.events.clone());
        registry.register("reconciliations", "Finished reconciliations", metrics.reconciliations.clone());
        registry.register_with_unit(
            "reconciliation_duration",
            "Time of a reconciliation",
            Unit::Seconds,
            metrics.reconciliation_duration.clone(),
        );
        registry.register("cache_lookups", "Look-ups of what is remembered", metrics.cache_lookups.clone());
        registry.register(
            "cache_evictions",
            "What was forgotten because there was no more room",
            metrics.cache_evictions.clone(),
        );
        registry.register_with_unit(
            "template_duration",
            "Time of work with the sources of templates",
            Unit::Seconds,
            metrics.template_duration.clone(),
        );
        registry.register_with_unit(
            "template_age",
            "Time since the templates that are used were fetched",
            Unit::Seconds,
            metrics.template_age.clone(),
        );
        registry.register_with_unit(
            "certificate_not_after_timestamp",
            "End of life of the served certificate, since the Unix epoch",
            Unit::Seconds,
            metrics.certificate_not_after.clone(),
        );
        registry.register(
            "installation_repairs",
            "Webhook configurations and policies of the API server that were changed or deleted, and restored",
            metrics.installation_repairs.clone(),
        );
        registry.register(
            "enforcing",
            "1 if refusals are enforced, 0 if they are only reported",
            metrics.enforcing.clone(),
        );
        registry.register("policies", "ModulePolicies that count", metrics.policies.clone());
        registry.register(
            "policies_mistaken",
            "ModulePolicies with mistakes, which allow less than is written there, or nothing",
            metrics.mistaken_policies.clone(),
        );
        registry.register("build", "This program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        metrics
    }
}

impl Metrics {
    /// All metrics as `OpenMetrics` text.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Counts a request as waiting to be read until the guard is dropped.
    pub fn admission_waits(&self) -> Present {
        Present::new(&self.waiting)
    }

    /// Counts a request as being decided until the guard is dropped.
    pub fn admission_started(&self) -> Present {
        Present::new(&self.in_flight)
    }

    /// Measures a part of a decision until the guard is dropped, also when nobody waits for the decision any more.
    pub fn stage(&self, stage: Stage) -> StageTimer<'_> {
        StageTimer { metrics: self, stage, started: Instant::now() }
    }

    /// Where the jobs that wait for a render thread are counted.
    pub fn render_jobs_waiting(&self) -> Gauge {
        self.render_jobs_waiting.clone()
    }

    /// Counts a request that was sent away unread.
    pub fn request_shed(&self) {
        self.shed.inc();
    }

    /// Counts a decided request.
    pub fn admission(&self, labels: AdmissionLabels, duration: Duration) {
        self.admissions.get_or_create(&labels).inc();
        self.admission_duration.get_or_create(&HookLabels { hook: labels.hook }).observe(duration.as_secs_f64());
    }

    /// Counts the locked fields that a refused write would have changed.
    pub fn locks_violated(&self, fields: usize) {
        self.violated_locks.inc_by(fields as u64);
    }

    /// Counts a write past the locks that was allowed.
    pub fn glass_broken(&self) {
        self.break_glass.inc();
    }

    /// Counts what became of something that was worth an Event.
    pub fn event(&self, result: EventResult) {
        self.events.get_or_create(&EventLabels { result }).inc();
    }

    /// Counts a finished reconciliation.
    pub fn reconciliation(&self, outcome: Outcome, duration: Duration) {
        self.reconciliations.get_or_create(&ReconciliationLabels { outcome }).inc();
        self.reconciliation_duration.observe(duration.as_secs_f64());
    }

    /// The counters of a cache.
    pub fn cache(&self, cache: CacheName) -> CacheCounters {
        let lookups = |result| self.cache_lookups.get_or_create_owned(&CacheLookupLabels { cache, result });
        CacheCounters {
            hits: lookups(CacheResult::Hit),
            misses: lookups(CacheResult::Miss),
            evictions: self.cache_evictions.get_or_create_owned(&CacheLabels { cache }),
        }
    }

    /// Counts work with the source of a template.
    pub fn template_step(&self, step: TemplateStep, result: TemplateResult, duration: Duration) {
        self.template_duration.get_or_create(&TemplateLabels { step, result }).observe(duration.as_secs_f64());
    }

    /// Notes how long ago a template that is used was fetched.
    pub fn template_used(&self, age: Duration) {
        self.template_age.observe(age.as_secs_f64());
    }

    /// Notes how many policies there are, and how many of them have mistakes.
    pub fn policies(&self, all: usize, mistaken: usize) {
        self.policies.set(all as i64);
        self.mistaken_policies.set(mistaken as i64);
    }

    /// Notes whether refusals are enforced.
    pub fn enforcing(&self, enforcing: bool) {
        self.enforcing.set(i64::from(enforcing));
    }

    /// Counts webhook configurations and policies of the API server that were restored.
    pub fn installation_repaired(&self, count: u64) {
        self.installation_repairs.inc_by(count);
    }

    /// Notes when the served certificate expires.
    pub fn certificate(&self, not_after: SystemTime) {
        let since_epoch = not_after.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.certificate_not_after.set(since_epoch.as_secs_f64());
    }
}

/// Something that is counted as long as it is there.
pub struct Present(Gauge);

impl Present {
    /// Counts it here.
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A part of a decision that is being measured.
pub struct StageTimer<'a> {
    metrics: &'a Metrics,
    stage: Stage,
    started: Instant,
}

impl Drop for StageTimer<'_> {
    fn drop(&mut self) {
        let histogram = self.metrics.stage_duration.get_or_create(&StageLabels { stage: self.stage });
        histogram.observe(self.started.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_units_follow_prometheus() {
        let metrics = Metrics::default();
        let labels = AdmissionLabels {
            hook: Hook::Validate,
            operation: Operation::Update,
            decision: Decision::Invalid,
            reason: Reason(Some(Ground::Lock)),
        };
        let guard = metrics.admission_started();
        metrics.admission(labels, Duration::from_millis(3));
        metrics.request_shed();
        metrics.certificate(SystemTime::UNIX_EPOCH + Duration::from_secs(7));
        let text = metrics.encode().unwrap();
        for line in [
            r#"module_admissions_total{hook="Validate",operation="Update",decision="Invalid",reason="Lock"} 1"#,
            r#"module_admission_duration_seconds_bucket{le="0.005",hook="Validate"} 1"#,
            "module_admissions_in_flight 1",
            "module_requests_shed_total 1",
            "module_certificate_not_after_timestamp_seconds 7.0",
            concat!("module_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        drop(guard);
        assert!(metrics.encode().unwrap().contains("module_admissions_in_flight 0"));
    }
}
