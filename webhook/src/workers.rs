//! Threads for rendering: few, with deep stacks, behind a short queue.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::oneshot;

use crate::metrics::Present;

/// Nested templates recurse natively; the renderer says how far.
const STACK_SIZE: usize = renderer::template::RENDER_STACK_BYTES;

/// Jobs that wait for each thread. A warm admission takes milliseconds, so this is a good second of work; whoever comes
/// later would miss the API server's deadline anyway.
const QUEUE_PER_THREAD: usize = 64;

type Job = Box<dyn FnOnce() + Send>;

/// A pool of render threads. Dropping it ends them.
#[derive(Clone)]
pub struct Workers {
    queue: SyncSender<Job>,
    waiting: Gauge,
}

/// Why a job gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// The queue is full.
    #[error("too many writes of Modules are being decided; try again in a moment")]
    Overloaded,
    /// The job panicked. The thread lives on.
    #[error("deciding this write failed unexpectedly; the webhook's log says where")]
    Panicked,
}

impl Workers {
    /// Starts the threads. Jobs that wait for one are counted as `waiting`.
    pub fn start(threads: usize, waiting: Gauge) -> io::Result<Self> {
        let threads = threads.max(1);
        let (queue, jobs) = sync_channel::<Job>(threads * QUEUE_PER_THREAD);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new()
                .name(format!("render-{number}"))
                .stack_size(STACK_SIZE)
                .spawn(move || work(&jobs))?;
        }
        Ok(Self { queue, waiting })
    }

    /// Runs `job` on one of the threads. If nobody waits for the result any more when its turn comes, it is not run.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, WorkerError> {
        let (sender, receiver) = oneshot::channel();
        let waiting = Present::new(&self.waiting);
        let job: Job = Box::new(move || {
            drop(waiting);
            if sender.is_closed() {
                return;
            }
            // Dropping the sender is how the waiting side learns of a panic.
            if let Ok(result) = catch_unwind(AssertUnwindSafe(job)) {
                let _ = sender.send(result);
            }
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => WorkerError::Overloaded,
        })?;
        receiver.await.map_err(|_| WorkerError::Panicked)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_goes_on() {
        let workers = Workers::start(1, Gauge::default()).unwrap();
        let failed = workers.run(|| -> u32 { panic!("a bug") }).await;
        assert_eq!(failed, Err(WorkerError::Panicked));
        assert_eq!(workers.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn deep_recursion_fits() {
        fn depth(level: u32) -> u32 {
            let frame = std::hint::black_box([level; 4096]);
            if level == 0 { 0 } else { 1 + depth(frame[1] - 1) }
        }
        assert_eq!(Workers::start(1, Gauge::default()).unwrap().run(|| depth(1_000)).await, Ok(1_000));
    }

    #[tokio::test]
    async fn a_full_queue_sheds() {
        let workers = Workers::start(1, Gauge::default()).unwrap();
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let (started, running) = oneshot::channel();
        let blocked = tokio::spawn({
            let workers = workers.clone();
            async move {
                workers
                    .run(move || {
                        let _ = started.send(());
                        let _ = gate.recv();
                    })
                    .await
            }
        });
        running.await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..QUEUE_PER_THREAD {
            let mut job = Box::pin(workers.run(|| ()));
            assert!(futures::poll!(job.as_mut()).is_pending());
            waiting.push(job);
        }
        assert_eq!(workers.waiting.get(), QUEUE_PER_THREAD as i64);
        assert_eq!(workers.run(|| ()).await, Err(WorkerError::Overloaded));
        assert_eq!(workers.waiting.get(), QUEUE_PER_THREAD as i64, "what was sent away does not wait");
        release.send(()).unwrap();
        assert_eq!(blocked.await.unwrap(), Ok(()));
        for job in waiting {
            assert_eq!(job.await, Ok(()));
        }
        assert_eq!(workers.waiting.get(), 0);
    }
}
