//! How the methods reach entries: find under the lock, compare without it, act under it.

use super::entry::{Looked, put, read, remove, ttl_of};
use super::keys::{Hashed, compare};
use super::{Cache, Object, Objects};
use agent_core_utils::cache::{Found, Match, Ticket};
use pyo3::prelude::*;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

impl Cache {
    pub(super) fn lock(&self) -> MutexGuard<'_, Objects> {
        // After a panic the border answers from the twin and this store is out of use.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self, py: Python<'_>) -> PyResult<f64> {
        if !self.timed.load(Ordering::Relaxed) {
            return Ok(f64::NEG_INFINITY);
        }
        match &self.clock {
            Some(clock) => clock.bind(py).call0()?.extract(),
            None => Ok(self.started.elapsed().as_secs_f64()),
        }
    }

    /// When an entry set now expires, and now.
    pub(super) fn deadline(
        &self,
        py: Python<'_>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(f64, f64)> {
        let ttl = ttl.map(ttl_of).transpose()?.or(self.ttl);
        let Some(seconds) = ttl else {
            return Ok((f64::INFINITY, self.now(py)?));
        };
        self.timed.store(true, Ordering::Relaxed);
        let now = self.now(py)?;
        Ok((now + seconds, now))
    }

    /// Finds a key and lets `act` work on its entry under the same lock.
    ///
    /// Keys that need Python to be compared are compared without the lock; then the search
    /// starts again with their answers known, so nothing that happened meanwhile is missed.
    pub(super) fn entry<R>(
        &self,
        hashed: &Hashed<'_>,
        act: impl FnOnce(&mut Objects, Option<Ticket>) -> R,
    ) -> PyResult<R> {
        let py = hashed.key.py();
        let mut equal: Option<Object> = None;
        let mut different: Vec<Object> = Vec::new();
        loop {
            let mut store = self.lock();
            let found = store.find(hashed.hash, |stored| match compare(stored, &hashed.key) {
                Match::Unsure if equal.as_ref().is_some_and(|known| known.is(stored)) => Match::Yes,
                Match::Unsure if different.iter().any(|known| known.is(stored)) => Match::No,
                sure => sure,
            });
            let unsure = match found {
                Found::Hit(ticket) => return Ok(act(&mut store, Some(ticket))),
                Found::Miss => return Ok(act(&mut store, None)),
                Found::Unsure(tickets) => tickets,
            };
            let keys: Vec<Object> = unsure
                .into_iter()
                .filter_map(|ticket| store.key(ticket).map(|key| key.clone_ref(py)))
                .collect();
            drop(store);
            for stored in keys {
                if stored.bind(py).eq(&hashed.key)? {
                    equal = Some(stored);
                    break;
                }
                different.push(stored);
            }
        }
    }

    /// Does the same for many keys, under one lock as long as no key needs Python.
    pub(super) fn entries<R>(
        &self,
        keys: &[Hashed<'_>],
        mut act: impl FnMut(&mut Objects, Option<Ticket>, usize) -> R,
    ) -> PyResult<Vec<R>> {
        let mut done = Vec::with_capacity(keys.len());
        let mut store = self.lock();
        for (at, hashed) in keys.iter().enumerate() {
            let ticket = match store.find(hashed.hash, |stored| compare(stored, &hashed.key)) {
                Found::Hit(ticket) => Some(ticket),
                Found::Miss => None,
                Found::Unsure(_) => {
                    drop(store);
                    done.push(self.entry(hashed, |store, ticket| act(store, ticket, at))?);
                    store = self.lock();
                    continue;
                }
            };
            let result = act(&mut store, ticket, at);
            done.push(result);
        }
        Ok(done)
    }

    pub(super) fn live(&self, py: Python<'_>) -> PyResult<Vec<(Object, Object)>> {
        let now = self.now(py)?;
        let store = self.lock();
        let both = |(key, value): (&Object, &Object)| (key.clone_ref(py), value.clone_ref(py));
        Ok(store.iter(now).map(both).collect())
    }

    pub(super) fn look(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<Option<Object>> {
        let hashed = Hashed::of(key.clone())?;
        let now = self.now(py)?;
        match self.entry(&hashed, |store, ticket| read(store, ticket, now, py))? {
            Looked::Value(value) => Ok(Some(value)),
            Looked::Missing | Looked::Expired { .. } => Ok(None),
        }
    }

    pub(super) fn glance(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Object>> {
        let hashed = Hashed::of(key.clone())?;
        let now = self.now(py)?;
        self.entry(&hashed, |store, ticket| {
            ticket.and_then(|ticket| store.peek(ticket, now).map(|value| value.clone_ref(py)))
        })
    }

    pub(super) fn store_one(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let hashed = Hashed::of(key.clone())?;
        let times = self.deadline(py, ttl)?;
        let value = value.clone().unbind();
        self.entry(&hashed, |store, ticket| {
            put(store, ticket, &hashed, value, times)
        })?;
        Ok(())
    }

    pub(super) fn remove_one(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let hashed = Hashed::of(key.clone())?;
        let now = self.now(py)?;
        let (live, _gone) = self.entry(&hashed, |store, ticket| remove(store, ticket, now))?;
        Ok(live)
    }
}
