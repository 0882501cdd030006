//! Kubernetes Events: refusals, and writes past the locks, seen beside the Module that they were about.
//!
//! A decision waits for none of this: it puts an occurrence into a queue, and one task writes. What is too much for the
//! queue or for the limits is counted and not told. Events name paths and people, never values.

mod limits;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api, Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use module::{annotations, api::Module, verdict::Ground};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    metrics::{EventResult, Metrics},
    shortened,
};
use limits::Limiter;

/// Occurrences that wait to be written.
const QUEUE: usize = 256;

/// Writes past the locks that are being looked for.
const UNCONFIRMED: usize = 64;

/// Writes past the locks that have been told: the API server asks again when a write conflicts with another one.
const TOLD: usize = 64;

/// When an allowed write is looked for, after the last time. The API server stores it, if it does, a moment after it was
/// allowed; other webhooks may take their time.
const LOOKS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8), Duration::from_secs(30)];

/// The longest that one call may hold up the others.
const CALL: Duration = Duration::from_secs(10);

/// The API server refuses Events with a longer note (`pkg/apis/core/validation/events.go`).
const NOTE_BYTES: usize = 1_024;

/// And those with a longer action or reporting instance.
const WORD_BYTES: usize = 128;

/// The name under which Events are reported.
const REPORTER: &str = "module-webhook";

/// A Module as far as an Event names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The stored object's; none if it was to be created.
    pub uid: Option<String>,
}

/// What is done to a Module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is created.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
}

/// Something that was decided and is worth telling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Occurrence {
    /// The Module.
    pub subject: Subject,
    /// What somebody did, or wanted to do.
    pub action: Action,
    /// Who.
    pub user: String,
    /// Paths that it was about.
    pub fields: BTreeSet<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was refused.
    Refused(Ground),
    /// It was allowed although it goes past the locks. Told once it is stored.
    GlassBroken {
        /// The reason given, by which the stored write is recognised.
        reason: String,
    },
}

/// Where decisions put what is worth telling.
#[derive(Clone)]
pub struct Events {
    queue: mpsc::Sender<Occurrence>,
    metrics: Arc<Metrics>,
}

/// What waits to be written.
pub struct EventQueue {
    queue: mpsc::Receiver<Occurrence>,
    metrics: Arc<Metrics>,
}

impl Events {
    /// A queue and its end.
    pub fn new(metrics: Arc<Metrics>) -> (Self, EventQueue) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self { queue: sender, metrics: Arc::clone(&metrics) }, EventQueue { queue: receiver, metrics })
    }

    /// Tells of something, unless too much waits already.
    pub fn tell(&self, occurrence: Occurrence) {
        if self.queue.try_send(occurrence).is_err() {
            self.metrics.event(EventResult::Dropped);
        }
    }
}

impl EventQueue {
    /// Writes what is told, until nobody can tell anything any more. `instance` names this replica.
    pub async fn write(mut self, client: Client, instance: &str) {
        let instance = shortened::to_bytes(instance, WORD_BYTES);
        let reporter = Reporter { controller: REPORTER.to_owned(), instance: Some(instance) };
        let mut writer = Writer {
            recorder: Recorder::new(client.clone(), reporter),
            client,
            metrics: Arc::clone(&self.metrics),
            limiter: Limiter::new(Instant::now()),
            unconfirmed: Vec::new(),
            told: VecDeque::new(),
        };
        loop {
            let next = writer.next_look();
            tokio::select! {
                occurrence = self.queue.recv() => match occurrence {
                    Some(occurrence) => writer.take(occurrence).await,
                    None => return,
                },
                () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    writer.look().await;
                }
            }
        }
    }

    /// The next occurrence, if one waits.
    #[cfg(test)]
    pub(crate) fn try_next(&mut self) -> Option<Occurrence> {
        self.queue.try_recv().ok()
    }
}

/// A write past the locks that was allowed and may have been stored.
struct Unconfirmed {
    occurrence: Occurrence,
    looks: usize,
    due: Instant,
}

struct Writer {
    recorder: Recorder,
    client: Client,
    metrics: Arc<Metrics>,
    limiter: Limiter,
    unconfirmed: Vec<Unconfirmed>,
    told: VecDeque<Occurrence>,
}

impl Writer {
    async fn take(&mut self, occurrence: Occurrence) {
        match occurrence.outcome {
            Outcome::Refused(_) if self.limiter.passes(&occurrence.subject, Instant::now()) => {
                self.publish(&occurrence).await;
            }
            Outcome::Refused(_) => self.metrics.event(EventResult::Limited),
            Outcome::GlassBroken { .. } => {
                let known = self.unconfirmed.iter().any(|pending| pending.occurrence == occurrence)
                    || self.told.contains(&occurrence);
                if known {
                    return;
                }
                if self.unconfirmed.len() == UNCONFIRMED {
                    self.metrics.event(EventResult::Dropped);
                    return;
                }
                self.unconfirmed.push(Unconfirmed { occurrence, looks: 0, due: Instant::now() + LOOKS[0] });
            }
        }
    }

    fn next_look(&self) -> Option<Instant> {
        self.unconfirmed.iter().map(|pending| pending.due).min()
    }

    /// Looks for one write that is due.
    async fn look(&mut self) {
        let now = Instant::now();
        let Some(position) = self.unconfirmed.iter().position(|pending| pending.due <= now) else { return };
        let mut pending = self.unconfirmed.swap_remove(position);
        let stored = tokio::time::timeout(CALL, is_stored(&self.client, &pending.occurrence)).await;
        if matches!(stored, Ok(Ok(true))) {
            self.publish(&pending.occurrence).await;
            if self.told.len() == TOLD {
                self.told.pop_front();
            }
            self.told.push_back(pending.occurrence);
            return;
        }
        pending.looks += 1;
        match LOOKS.get(pending.looks) {
            Some(pause) => {
                pending.due = Instant::now() + *pause;
                self.unconfirmed.push(pending);
            }
            None => self.metrics.event(EventResult::Unconfirmed),
        }
    }

    async fn publish(&self, occurrence: &Occurrence) {
        let (event, about) = (occurrence.event(), occurrence.subject.reference());
        let result = match tokio::time::timeout(CALL, self.recorder.publish(&event, &about)).await {
            Ok(Ok(())) => EventResult::Written,
            Ok(Err(error)) => {
                let Subject { namespace, name, .. } = &occurrence.subject;
                tracing::warn!(namespace, name, error = &error as &dyn std::error::Error, "cannot write an Event");
                EventResult::Failed
            }
            Err(_) => EventResult::Failed,
        };
        self.metrics.event(result);
    }
}

/// Whether the cluster shows that an allowed write was stored.
async fn is_stored(client: &Client, occurrence: &Occurrence) -> Result<bool, kube::Error> {
    let Subject { namespace, name, uid } = &occurrence.subject;
    let Outcome::GlassBroken { reason } = &occurrence.outcome else { return Ok(false) };
    let found = Api::<Module>::namespaced(client.clone(), namespace).get_metadata_opt(name).await?;
    let found = found.map(|found| found.metadata).filter(|found| uid.is_none() || found.uid == *uid);
    Ok(match (occurrence.action, found) {
        (Action::Delete, found) => found.is_none_or(|found| found.deletion_timestamp.is_some()),
        (Action::Create | Action::Update, found) => found
            .and_then(|found| found.annotations)
            .is_some_and(|found| found.get(annotations::BREAK_GLASS) == Some(reason)),
    })
}

impl Subject {
    fn reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some(format!("{}/{}", module::api::GROUP, module::api::VERSION)),
            kind: Some("Module".to_owned()),
            namespace: Some(self.namespace.clone()),
            name: Some(self.name.clone()),
            uid: self.uid.clone(),
            ..ObjectReference::default()
        }
    }
}

impl Occurrence {
    /// Occurrences that are alike in all but their time become one Event with a count: whatever tells them apart is part
    /// of the action.
    fn event(&self) -> Event {
        let Self { action, user, fields, outcome, .. } = self;
        let fields = fields.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let about = if fields.is_empty() { String::new() } else { format!(": {fields}") };
        let (reason, note) = match outcome {
            Outcome::Refused(ground) => ("Refused", format!("{action:?} by {user} refused ({ground}){about}")),
            Outcome::GlassBroken { .. } => (
                "BreakGlass",
                format!("{action:?} by {user} past the locks, for a reason that the audit log has{about}"),
            ),
        };
        Event {
            type_: EventType::Warning,
            reason: reason.to_owned(),
            note: Some(shortened::to_bytes(&note, NOTE_BYTES)),
            action: shortened::to_bytes(&format!("{action:?} by {user}{about}"), WORD_BYTES),
            secondary: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(field: &str) -> Occurrence {
        Occurrence {
            subject: Subject { namespace: "team-a".into(), name: "web".into(), uid: Some("1".into()) },
            action: Action::Update,
            user: "alice".into(),
            fields: BTreeSet::from([field.to_owned()]),
            outcome: Outcome::Refused(Ground::Lock),
        }
    }

    #[test]
    fn an_event_says_who_and_where_within_the_limits_of_the_api_server() {
        let event = refused("spec.values.image").event();
        assert_eq!(event.note.as_deref(), Some("Update by alice refused (Lock): spec.values.image"));
        assert_eq!(event.action, "Update by alice: spec.values.image");
        let event = refused(&"ä".repeat(2_000)).event();
        assert!(event.note.unwrap().len() <= NOTE_BYTES && event.action.len() <= WORD_BYTES);
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let metrics = Arc::new(Metrics::default());
        let (events, mut queue) = Events::new(Arc::clone(&metrics));
        for _ in 0..QUEUE + 3 {
            events.tell(refused("spec"));
        }
        let text = metrics.encode().unwrap();
        assert!(text.contains("module_events_total{result=\"Dropped\"} 3"), "{text}");
        assert_eq!(std::iter::from_fn(|| queue.try_next()).count(), QUEUE);
    }
}
