//! How many Events are written, whatever happens.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::Subject;

/// For one Module: somebody who tries again and again is told of, and then seldom.
const OF_ONE: Pace = Pace { burst: 10, interval: Duration::from_secs(30) };

/// For all Modules together: an API server should not notice.
const OF_ALL: Pace = Pace { burst: 50, interval: Duration::from_millis(500) };

/// Lets some through at once, and then one an interval.
struct Pace {
    burst: u32,
    interval: Duration,
}

impl Pace {
    /// Whether another one may pass. `paid`: when all that passed will have been waited for.
    fn passes(&self, paid: &mut Instant, now: Instant) -> bool {
        let from = (*paid).max(now);
        if from.duration_since(now) > self.interval * (self.burst - 1) {
            return false;
        }
        *paid = from + self.interval;
        true
    }
}

/// Both paces. It remembers Modules that were told of lately: no more of them than may be told of.
pub(super) struct Limiter {
    all: Instant,
    each: HashMap<Subject, Instant>,
}

impl Limiter {
    /// Nothing has been told.
    pub(super) fn new(now: Instant) -> Self {
        Self { all: now, each: HashMap::new() }
    }

    /// Whether this Module may be told of now.
    pub(super) fn passes(&mut self, subject: &Subject, now: Instant) -> bool {
        let mut paid = self.each.get(subject).copied().unwrap_or(now);
        if !OF_ONE.passes(&mut paid, now) || !OF_ALL.passes(&mut self.all, now) {
            return false;
        }
        self.each.retain(|_, paid| *paid > now);
        self.each.insert(subject.clone(), paid);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: usize) -> Subject {
        Subject { namespace: "team-a".into(), name: name.to_string(), uid: None }
    }

    #[test]
    fn one_module_is_told_of_some_times_and_then_seldom() {
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        let passed = |limiter: &mut Limiter, now| (0..100).filter(|_| limiter.passes(&subject(0), now)).count();
        assert_eq!(passed(&mut limiter, now), 10);
        assert!(limiter.passes(&subject(1), now), "another one is not held back");
        assert_eq!(passed(&mut limiter, now + OF_ONE.interval), 1);
        assert_eq!(passed(&mut limiter, now + OF_ONE.interval * 60), 10);
    }

    #[test]
    fn a_flood_of_modules_is_held_back_and_forgotten() {
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        let mut told = 0;
        // A hundred others each tenth of a second for ten minutes.
        for tenth in 0..6_000_u32 {
            let now = now + Duration::from_millis(100) * tenth;
            told += (0..100).filter(|name| limiter.passes(&subject(tenth as usize * 100 + name), now)).count();
            assert!(limiter.each.len() <= 50 + 60 + 1, "{}", limiter.each.len());
        }
        assert_eq!(told, 50 + 1_199);
    }
}
