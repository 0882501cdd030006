//! A bounded map of things that take long to make. Whoever asks while one is being made waits for that one.

use std::{
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, time::Instant};

use super::TemplateError;
use crate::{bounded::BoundedMap, metrics::CacheCounters};

/// How long a result is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// Until there is no room.
    Forever,
    /// For a time.
    For(Duration),
}

/// The map. Failures are kept too, so that they are not repeated by every request.
pub(super) struct Cache<K, V> {
    cells: Mutex<Cells<K, V>>,
    counters: CacheCounters,
}

type Cells<K, V> = BoundedMap<K, Arc<OnceCell<Made<V>>>>;

#[derive(Clone)]
struct Made<V> {
    result: Result<V, TemplateError>,
    expires: Option<Instant>,
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> Cache<K, V> {
    /// An empty map of at most `capacity` entries that weigh at most `weight` together.
    pub(super) fn new(capacity: usize, weight: usize, counters: CacheCounters) -> Self {
        Self { cells: Mutex::new(BoundedMap::new(capacity, weight, counters.evictions.clone())), counters }
    }

    /// Drops a finished result.
    pub(super) fn forget(&self, key: &K) {
        self.lock().remove_if(key, |cell| cell.initialized());
    }

    /// The result for `key`, made by `make` if there is none. Once begun, making goes on even if nobody waits any
    /// more: the next request will want it.
    pub(super) async fn get(
        &self,
        key: &K,
        lifetime: fn(&Result<V, TemplateError>) -> Lifetime,
        weight: fn(&V) -> usize,
        make: impl Future<Output = Result<V, TemplateError>> + Send + 'static,
    ) -> Result<V, TemplateError> {
        let cell = self.cell(key);
        if let Some(made) = cell.get() {
            return made.result.clone();
        }
        let making = Arc::clone(&cell);
        let task = tokio::spawn(async move {
            making
                .get_or_init(|| async {
                    let result = make.await;
                    let expires = match lifetime(&result) {
                        Lifetime::Forever => None,
                        Lifetime::For(duration) => Some(Instant::now() + duration),
                    };
                    Made { result, expires }
                })
                .await
                .clone()
        });
        let Ok(finished) = task.await else {
            return Err(TemplateError::Unavailable {
                problem: "getting the template failed unexpectedly; the webhook's log says where".to_owned(),
            });
        };
        let weight = finished.result.as_ref().map_or(0, weight);
        self.lock().weigh(key, weight, |current| Arc::ptr_eq(current, &cell));
        finished.result
    }

    fn cell(&self, key: &K) -> Arc<OnceCell<Made<V>>> {
        let mut cells = self.lock();
        if let Some(cell) = cells.get(key, |cell| cell.get().is_none_or(Made::is_fresh)) {
            self.counters.hits.inc();
            return Arc::clone(cell);
        }
        self.counters.misses.inc();
        let cell = Arc::new(OnceCell::new());
        cells.insert(key, Arc::clone(&cell), 0);
        cell
    }

    fn lock(&self) -> MutexGuard<'_, Cells<K, V>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Made<V> {
    fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn cache(weight: usize) -> Cache<&'static str, usize> {
        Cache::new(8, weight, CacheCounters::default())
    }

    fn forever(_: &Result<usize, TemplateError>) -> Lifetime {
        Lifetime::Forever
    }

    fn at_once(_: &Result<usize, TemplateError>) -> Lifetime {
        Lifetime::For(Duration::ZERO)
    }

    #[tokio::test]
    async fn concurrent_requests_share_one_making() {
        let cache = cache(usize::MAX);
        let made = Arc::new(AtomicUsize::new(0));
        let request = || {
            let made = Arc::clone(&made);
            cache.get(&"key", forever, |_| 0, async move {
                tokio::task::yield_now().await;
                Ok(made.fetch_add(1, Ordering::SeqCst))
            })
        };
        let (one, other) = tokio::join!(request(), request());
        assert_eq!((one, other), (Ok(0), Ok(0)));
        assert_eq!((cache.counters.misses.get(), cache.counters.hits.get()), (1, 1));
    }

    #[tokio::test]
    async fn a_request_that_gives_up_does_not_stop_the_making() {
        let cache = cache(usize::MAX);
        let (release, gate) = tokio::sync::oneshot::channel::<()>();
        {
            let mut given_up = Box::pin(cache.get(&"key", forever, |_| 0, async move {
                let _ = gate.await;
                Ok(1)
            }));
            assert!(futures::poll!(given_up.as_mut()).is_pending());
        }
        release.send(()).unwrap();
        assert_eq!(cache.get(&"key", forever, |_| 0, async { Ok(2) }).await, Ok(1));
    }

    #[tokio::test]
    async fn expired_and_forgotten_results_are_made_again() {
        let cache = cache(usize::MAX);
        let failure = TemplateError::Unavailable { problem: "down".into() };
        let failed = failure.clone();
        assert_eq!(cache.get(&"key", at_once, |_| 0, async { Err(failed) }).await, Err(failure));
        assert_eq!(cache.get(&"key", forever, |_| 0, async { Ok(2) }).await, Ok(2));
        assert_eq!(cache.get(&"key", forever, |_| 0, async { Ok(3) }).await, Ok(2));
        cache.forget(&"key");
        assert_eq!(cache.get(&"key", forever, |_| 0, async { Ok(4) }).await, Ok(4));
    }

    #[tokio::test]
    async fn the_least_recently_used_goes_first() {
        let cache = cache(10);
        for (key, weight) in [("a", 4), ("b", 4)] {
            cache.get(&key, forever, |weight| *weight, async move { Ok(weight) }).await.unwrap();
        }
        cache.get(&"a", forever, |weight| *weight, async { Ok(0) }).await.unwrap();
        cache.get(&"c", forever, |weight| *weight, async { Ok(4) }).await.unwrap();
        let mut kept: Vec<_> = cache.lock().keys().copied().collect();
        kept.sort_unstable();
        assert_eq!((kept, cache.counters.evictions.get()), (vec!["a", "c"], 1));
    }
}
