//! Load on an HTTP server: what is sent, how often, and how long the answers took.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::RequestBuilder;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// The body of the request of this number: each is another one, so that nothing can be answered from memory.
pub(crate) type Body = Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// A request without its body.
pub(crate) type Request = Arc<dyn Fn() -> RequestBuilder + Send + Sync>;

/// The number of the next request of a closed loop: in the next loop there is none of them again.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Something that requests are sent to, again and again.
#[derive(Clone)]
pub(crate) struct Target {
    /// What it is called in a table.
    pub(crate) name: &'static str,
    /// Where to, and as whom.
    pub(crate) request: Request,
    /// What is sent.
    pub(crate) body: Body,
}

/// An answer and how long it took.
pub(crate) struct Answered {
    /// From the moment the request was due.
    pub(crate) after: Duration,
    /// The HTTP status code, or why there is no answer.
    pub(crate) outcome: Result<(u16, Vec<u8>)>,
}

impl Target {
    /// Sends one request.
    pub(crate) async fn send(&self, number: usize) -> Answered {
        let start = Instant::now();
        let outcome = self.request(number).await;
        Answered { after: start.elapsed(), outcome }
    }

    async fn request(&self, number: usize) -> Result<(u16, Vec<u8>)> {
        let request = (self.request)().body((self.body)(number));
        let answer = request.send().await.with_context(|| format!("{} did not answer", self.name))?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await?.to_vec()))
    }
}

/// Sends `rate` requests a second to each target in turn, whether or not earlier ones are answered: an open loop, in
/// which a slow server cannot slow down its measurement. Returns the answers by target.
pub(crate) async fn open_loop(targets: &[Target], rate: u32, duration: Duration) -> Result<Vec<Vec<Answered>>> {
    let each = (f64::from(rate) * duration.as_secs_f64()).round() as usize;
    let mut due = tokio::time::interval(Duration::from_secs(1) / (rate * targets.len() as u32));
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut running = JoinSet::new();
    for number in 0..each {
        for (index, target) in targets.iter().enumerate() {
            due.tick().await;
            let target = target.clone();
            running.spawn(async move { (index, target.send(number).await) });
        }
    }
    let mut answers: Vec<Vec<Answered>> = targets.iter().map(|_| Vec::with_capacity(each)).collect();
    while let Some(finished) = running.join_next().await {
        let (index, answered) = finished?;
        answers[index].push(answered);
    }
    Ok(answers)
}

/// Keeps `connections` requests on the way for a while: as much as the server can take. Returns the answers.
pub(crate) async fn closed_loop(target: &Target, connections: usize, duration: Duration) -> Result<Vec<Answered>> {
    let end = Instant::now() + duration;
    let mut running = JoinSet::new();
    for _ in 0..connections {
        let target = target.clone();
        running.spawn(async move {
            let mut answers = Vec::new();
            while Instant::now() < end {
                answers.push(target.send(NEXT.fetch_add(1, Ordering::Relaxed)).await);
            }
            answers
        });
    }
    let mut answers = Vec::new();
    while let Some(finished) = running.join_next().await {
        answers.extend(finished?);
    }
    Ok(answers)
}

/// The times of answers, all of which have to be successes.
pub(crate) fn succeeded(target: &Target, answers: Vec<Answered>) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(answers.len());
    for answered in answers {
        let (status, body) = answered.outcome?;
        ensure!(status == 200, "{} answered {status}: {}", target.name, String::from_utf8_lossy(&body));
        times.push(answered.after);
    }
    Ok(times)
}
