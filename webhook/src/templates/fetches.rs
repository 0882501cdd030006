//! How many templates are fetched at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Semaphore;

use super::TemplateError;

/// Fetches at a time: they wait for the network, not for the processor, but each may hold an archive in memory.
const FETCHES: usize = 32;

/// Fetches at a time from one server: one that does not answer must not hold up what comes from others.
const FETCHES_FROM_A_SERVER: usize = 4;

/// Lets so many fetches run, and the others wait for their turn.
pub(super) struct Fetches {
    all: Semaphore,
    servers: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Default for Fetches {
    fn default() -> Self {
        Self { all: Semaphore::new(FETCHES), servers: Mutex::default() }
    }
}

impl Fetches {
    /// Runs work that blocks while it talks to the server of a repository.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        repository: &str,
        work: impl FnOnce() -> Result<T, TemplateError> + Send + 'static,
    ) -> Result<T, TemplateError> {
        let unavailable = |problem: &str| TemplateError::Unavailable { problem: problem.to_owned() };
        let shutting_down = |_| unavailable("the webhook is shutting down");
        let server = self.server(repository);
        // In this order: whoever waits for a server takes no place of those who do not.
        let _turn = server.acquire().await.map_err(shutting_down)?;
        let _place = self.all.acquire().await.map_err(shutting_down)?;
        let unexpected = "fetching the template failed unexpectedly; the webhook's log says where";
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(unavailable(unexpected)))
    }

    fn server(&self, repository: &str) -> Arc<Semaphore> {
        let address = repository.split_once("://").map_or(repository, |(_, rest)| rest);
        let name = address.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(&name).and_then(Weak::upgrade) {
            return server;
        }
        servers.retain(|_, server| server.strong_count() > 0);
        let server = Arc::new(Semaphore::new(FETCHES_FROM_A_SERVER));
        servers.insert(name, Arc::downgrade(&server));
        server
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[tokio::test]
    async fn a_server_that_does_not_answer_holds_up_nobody_elses() {
        let fetches = Arc::new(Fetches::default());
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let mut waiting = Vec::new();
        for number in 0..FETCHES * 2 {
            let (fetches, gate) = (Arc::clone(&fetches), Arc::clone(&gate));
            waiting.push(tokio::spawn(async move {
                let hang = move || {
                    let _ = gate.lock().unwrap().recv();
                    Ok(())
                };
                fetches.run(&format!("https://hangs.example.com/{number}"), hang).await
            }));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        for repository in ["https://git.example.com/a", "oci://hangs.example.com:8443/a", "/folder"] {
            let answer = tokio::time::timeout(Duration::from_secs(10), fetches.run(repository, || Ok(7))).await;
            assert_eq!(answer.unwrap(), Ok(7), "{repository}");
        }
        drop(release);
        for task in waiting {
            task.await.unwrap().unwrap();
        }
        fetches.run("https://git.example.com/a", || Ok(())).await.unwrap();
        assert_eq!(fetches.servers.lock().unwrap().len(), 1, "servers that nobody asks are forgotten");
    }
}
