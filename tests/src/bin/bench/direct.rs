//! Reviews straight at the webhook, as many as it can take, and ten times as many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tests::cluster::{Cluster, NAME, NAMESPACE, server_client};
use tests::times::{milliseconds, percentile};

use crate::allow_all::{ALLOW_ALL, AllowAll};
use crate::load::{Answered, Body, Request, Target, closed_loop, open_loop, succeeded};
use crate::process;
use crate::subject::{Subject, module_webhook};

/// Requests on the way at once when a server is given as much as it can take.
const CONNECTIONS: usize = 8;
/// How much more than it can take the webhook is given.
const OVERLOAD: f64 = 10.0;
/// What the API server waits for us, as our configurations say.
const DEADLINE: Duration = Duration::from_secs(5);
/// Turns of each server.
const TURNS: u32 = 3;

/// Measures and prints what one core decides, and what becomes of ten times as much as there are cores for. `webhook` is
/// the id of its process.
pub(crate) async fn measure(cluster: &Cluster, allow_all: &AllowAll, webhook: u32, turn: Duration) -> Result<()> {
    let subjects = [Subject::four(cluster)?, Subject::hundred(cluster)?, Subject::mebibyte(cluster)?];
    let host = format!("{ALLOW_ALL}.{NAMESPACE}.svc");
    let nothing = Target {
        name: "allow-all",
        request: reviews_to(&host, allow_all.port, allow_all.authority.as_bytes(), "/")?,
        body: subjects[0].reviews(cluster)?,
    };
    let mut rows = vec![(nothing, allow_all.id(), Measured::default())];
    for subject in &subjects {
        let target = validating(cluster, subject.name, subject.reviews(cluster)?)?;
        rows.push((target, webhook, Measured::default()));
    }
    for _ in 0..TURNS {
        for (target, id, measured) in &mut rows {
            measured.add(target, *id, turn).await?;
        }
    }
    println!();
    println!("Reviews straight at a server, {CONNECTIONS} at once, {TURNS} times {} s each, in turn", turn.as_secs());
    println!("{:<22}{:>12}{:>12}{:>14}{:>18}", "", "p50", "p99", "a second", "a core's second");
    let mut capacity = 0.0;
    for (target, _, measured) in &mut rows {
        capacity = measured.print(target.name);
    }
    let (largest, id, _) = &rows[rows.len() - 1];
    overload(largest, *id, capacity * OVERLOAD, turn).await
}

/// What a server takes when it is given as much as it can take.
#[derive(Default)]
struct Measured {
    times: Vec<Duration>,
    elapsed: Duration,
    processor: Duration,
}

impl Measured {
    async fn add(&mut self, target: &Target, id: u32, duration: Duration) -> Result<()> {
        // Not counted: connections and caches.
        allowed(target, closed_loop(target, CONNECTIONS, Duration::from_millis(300)).await?)?;
        let (start, processor) = (Instant::now(), process::processor_time(id)?);
        let answers = closed_loop(target, CONNECTIONS, duration).await?;
        self.elapsed += start.elapsed();
        self.processor += process::processor_time(id)?.saturating_sub(processor);
        self.times.extend(allowed(target, answers)?);
        Ok(())
    }

    /// Prints a row and returns how many reviews a second were answered.
    fn print(&mut self, name: &str) -> f64 {
        let count = self.times.len() as f64;
        let a_second = count / self.elapsed.as_secs_f64();
        println!(
            "{name:<22}{:>9.2} ms{:>9.2} ms{a_second:>14.0}{:>18.0}",
            milliseconds(percentile(&mut self.times, 50)),
            milliseconds(percentile(&mut self.times, 99)),
            count / self.processor.as_secs_f64(),
        );
        a_second
    }
}

/// Far more reviews than the webhook can decide: each must be answered before the API server gives up.
async fn overload(target: &Target, id: u32, rate: f64, duration: Duration) -> Result<()> {
    let before = process::memory(id)?;
    process::forget_peak(id)?;
    let rate = rate.round() as u32;
    let answers = open_loop(std::slice::from_ref(target), rate, duration).await?;
    let answers = answers.into_iter().flatten();
    let (mut decided, mut shed, mut late, mut unanswered) = (0, 0, 0, 0);
    let mut times = Vec::new();
    for answered in answers {
        times.push(answered.after);
        match answered.outcome {
            _ if answered.after > DEADLINE => late += 1,
            Ok((200, body)) if serde_json::from_slice::<Value>(&body)?["response"]["allowed"] == true => decided += 1,
            // Sent away unread, or told in an answer that there is no time.
            Ok((200 | 429 | 503, _)) => shed += 1,
            Ok(_) | Err(_) => unanswered += 1,
        }
    }
    println!();
    println!(
        "Overload: {rate} reviews a second of {} for {} s: {decided} decided, {shed} sent away, {late} late, \
         {unanswered} unanswered; p99 {:.0} ms; memory {before:.1} MiB before, at most {:.1} MiB",
        target.name,
        duration.as_secs(),
        milliseconds(percentile(&mut times, 99)),
        process::peak_memory(id)?,
    );
    Ok(())
}

/// The times of answers, all of which have to allow what was reviewed.
fn allowed(target: &Target, answers: Vec<Answered>) -> Result<Vec<Duration>> {
    for answered in &answers {
        if let Ok((200, body)) = &answered.outcome {
            let answer: Value = serde_json::from_slice(body)?;
            ensure!(answer["response"]["allowed"] == true, "{} does not allow the review: {answer:#}", target.name);
        }
    }
    succeeded(target, answers)
}

/// Our validating webhook, and the path at which its configuration says that it is.
fn validating(cluster: &Cluster, name: &'static str, body: Body) -> Result<Target> {
    let webhook = module_webhook(cluster, "ValidatingWebhookConfiguration")?;
    let path = webhook["clientConfig"]["service"]["path"].as_str().context("an incomplete clientConfig")?;
    let (host, port) = (format!("{NAME}.{NAMESPACE}.svc"), cluster.description().ports.webhook);
    let path = format!("{path}?timeout={}s", DEADLINE.as_secs());
    Ok(Target { name, request: reviews_to(&host, port, &cluster.webhook_authority()?, &path)?, body })
}

fn reviews_to(host: &str, port: u16, authority: &[u8], path: &str) -> Result<Request> {
    // What the API server speaks to a Service.
    let client = server_client(host, port, authority)?.http1_only().build()?;
    let address = format!("https://{host}:{port}{path}");
    Ok(Arc::new(move || client.post(&address).header(CONTENT_TYPE, "application/json")))
}
