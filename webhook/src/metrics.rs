//! Metrics. Label values come from closed sets, never from objects or requests.

use std::{
    sync::atomic::AtomicU64,
    time::{Duration, SystemTime},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
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

/// Labels of an admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AdmissionLabels {
    /// Which endpoint was called.
    pub hook: Hook,
    /// What the request was about.
    pub operation: Operation,
    /// How it ended.
    pub decision: Decision,
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

/// Whether a template was at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum CacheResult {
    /// In memory.
    Hit,
    /// Fetched and read.
    Miss,
}

/// Labels of a template look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CacheLabels {
    /// Whether it was at hand.
    pub result: CacheResult,
}

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    admissions: Family<AdmissionLabels, Counter>,
    admission_duration: Family<HookLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    shed: Counter,
    reconciliations: Family<ReconciliationLabels, Counter>,
    reconciliation_duration: Histogram,
    templates: Family<CacheLabels, Counter>,
    certificate_not_after: Gauge<f64, AtomicU64>,
}

fn admission_histogram() -> Histogram {
    // 1 ms to 8 s: the API server waits 5 s by our configuration.
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("module"),
            admissions: Family::default(),
            admission_duration: Family::new_with_constructor(admission_histogram as fn() -> Histogram),
            in_flight: Gauge::default(),
            shed: Counter::default(),
            reconciliations: Family::default(),
            reconciliation_duration: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            templates: Family::default(),
            certificate_not_after: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("admissions", "Decided admission requests", metrics.admissions.clone());
        registry.register_with_unit(
            "admission_duration",
            "Time from the first byte of a request to its answer",
            Unit::Seconds,
            metrics.admission_duration.clone(),
        );
        registry.register("admissions_in_flight", "Requests being decided", metrics.in_flight.clone());
        registry.register("requests_shed", "Requests sent away unread, because too many waited", metrics.shed.clone());
        registry.register("reconciliations", "Finished reconciliations", metrics.reconciliations.clone());
        registry.register_with_unit(
            "reconciliation_duration",
            "Time of a reconciliation",
            Unit::Seconds,
            metrics.reconciliation_duration.clone(),
        );
        registry.register("template_lookups", "Look-ups of templates by digest", metrics.templates.clone());
        registry.register_with_unit(
            "certificate_not_after_timestamp",
            "End of life of the served certificate, since the Unix epoch",
            Unit::Seconds,
            metrics.certificate_not_after.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// All metrics as `OpenMetrics` text.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Counts a request as being decided until the guard is dropped.
    pub fn admission_started(&self) -> InFlight<'_> {
        self.in_flight.inc();
        InFlight(self)
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

    /// Counts a finished reconciliation.
    pub fn reconciliation(&self, outcome: Outcome, duration: Duration) {
        self.reconciliations.get_or_create(&ReconciliationLabels { outcome }).inc();
        self.reconciliation_duration.observe(duration.as_secs_f64());
    }

    /// Counts a look-up of a template.
    pub fn template(&self, result: CacheResult) {
        self.templates.get_or_create(&CacheLabels { result }).inc();
    }

    /// Notes when the served certificate expires.
    pub fn certificate(&self, not_after: SystemTime) {
        let since_epoch = not_after.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.certificate_not_after.set(since_epoch.as_secs_f64());
    }
}

/// A request that is being decided.
pub struct InFlight<'a>(&'a Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_units_follow_prometheus() {
        let metrics = Metrics::default();
        let labels =
            AdmissionLabels { hook: Hook::Validate, operation: Operation::Update, decision: Decision::Invalid };
        let guard = metrics.admission_started();
        metrics.admission(labels, Duration::from_millis(3));
        metrics.request_shed();
        metrics.certificate(SystemTime::UNIX_EPOCH + Duration::from_secs(7));
        let text = metrics.encode().unwrap();
        for line in [
            r#"module_admissions_total{hook="Validate",operation="Update",decision="Invalid"} 1"#,
            r#"module_admission_duration_seconds_bucket{le="0.004",hook="Validate"} 1"#,
            "module_admissions_in_flight 1",
            "module_requests_shed_total 1",
            "module_certificate_not_after_timestamp_seconds 7.0",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        drop(guard);
        assert!(metrics.encode().unwrap().contains("module_admissions_in_flight 0"));
    }
}
