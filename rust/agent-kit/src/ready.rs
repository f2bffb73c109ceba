//! Readiness as named latches: a daemon is ready when every latch is open and it isn't draining.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The readiness of one daemon. Clones share the same state. Ready from the start if it has no latches.
#[derive(Debug, Clone, Default)]
pub struct Ready {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    closed: BTreeMap<&'static str, String>,
    draining: bool,
}

impl Ready {
    /// A readiness without latches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a closed latch: until it is opened `/readyz` answers 503 with `name: reason`.
    pub fn latch(&self, name: &'static str, reason: impl Into<String>) -> Latch {
        self.lock().closed.insert(name, reason.into());
        Latch {
            ready: self.clone(),
            name,
        }
    }

    /// Not ready any more, for good: the daemon finishes what it has and ends.
    pub fn drain(&self) {
        self.lock().draining = true;
    }

    /// `Ok` when ready, else the reasons in one line.
    pub fn check(&self) -> Result<(), String> {
        let state = self.lock();
        if state.draining {
            return Err("draining".into());
        }
        if state.closed.is_empty() {
            return Ok(());
        }
        let reasons: Vec<String> = state
            .closed
            .iter()
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        Err(reasons.join("; "))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding the lock; a poisoned one would still be consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One condition of readiness. Dropping it changes nothing: a task that dies before it opened its
/// latch leaves the daemon not ready, which is the truth.
#[derive(Debug, Clone)]
pub struct Latch {
    ready: Ready,
    name: &'static str,
}

impl Latch {
    /// The condition holds.
    pub fn open(&self) {
        self.ready.lock().closed.remove(self.name);
    }

    /// The condition doesn't hold (any more), and why.
    pub fn close(&self, reason: impl Into<String>) {
        self.ready.lock().closed.insert(self.name, reason.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_every_latch_is_open_and_not_draining() {
        let ready = Ready::new();
        assert_eq!(ready.check(), Ok(()));
        let docker = ready.latch("docker", "not connected yet");
        let rules = ready.latch("rules", "not read yet");
        assert_eq!(
            ready.check(),
            Err("docker: not connected yet; rules: not read yet".into())
        );
        rules.open();
        docker.open();
        assert_eq!(ready.check(), Ok(()));
        docker.close("connection refused");
        assert_eq!(ready.check(), Err("docker: connection refused".into()));
        docker.open();
        ready.drain();
        assert_eq!(ready.check(), Err("draining".into()));
    }

    #[test]
    fn a_dropped_latch_stays_closed() {
        let ready = Ready::new();
        drop(ready.latch("docker", "starting"));
        assert_eq!(ready.check(), Err("docker: starting".into()));
    }
}
