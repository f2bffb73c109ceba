//! The calls of one key: each hashes first, then works under the lock, then drops what went.

use super::keys::{compare, tag_of};
use super::{Cache, Gone, Object, Objects};
use agent_core_utils::cache::{Found, Match, Terms};
use pyo3::prelude::*;
use std::sync::{MutexGuard, PoisonError};

/// What an entry is set with: the arguments of `set` beside key and value.
#[derive(Default)]
pub(super) struct Given<'a, 'py> {
    pub(super) ttl: Option<&'a Bound<'py, PyAny>>,
    pub(super) weight: Option<&'a Bound<'py, PyAny>>,
    pub(super) tags: Option<&'a Bound<'py, PyAny>>,
}

impl Cache {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Objects> {
        // After a panic the border answers from the twin and this store is out of use.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds a key and lets `act` work on its entry under the same lock.
    #[inline]
    pub(super) fn entry<R>(
        &self,
        key: &Bound<'_, PyAny>,
        tag: u32,
        act: impl FnOnce(&mut Objects, Option<u32>) -> R,
    ) -> PyResult<R> {
        let mut store = self.lock();
        match store.find(tag, |stored| compare(stored, key)) {
            Found::Hit(index) => Ok(act(&mut store, Some(index))),
            Found::Miss => Ok(act(&mut store, None)),
            Found::Unsure(index) => {
                let first = store.key(index).map(|key_| key_.clone_ref(key.py()));
                drop(store);
                self.entry_by_python(key, tag, first, act)
            }
        }
    }

    /// The same for keys that need Python to be compared: they are compared without the lock,
    /// one a time; then the search starts again with the answers known, so that nothing that
    /// happened meanwhile is missed.
    #[cold]
    fn entry_by_python<R>(
        &self,
        key: &Bound<'_, PyAny>,
        tag: u32,
        first: Option<Object>,
        act: impl FnOnce(&mut Objects, Option<u32>) -> R,
    ) -> PyResult<R> {
        let py = key.py();
        let mut equal: Option<Object> = None;
        let mut different: Vec<Object> = Vec::new();
        let mut unknown = first;
        loop {
            if let Some(stored) = unknown.take() {
                if stored.bind(py).eq(key)? {
                    equal = Some(stored);
                } else {
                    different.push(stored);
                }
            }
            let mut store = self.lock();
            let found = store.find(tag, |stored| match compare(stored, key) {
                Match::Unsure if equal.as_ref().is_some_and(|known| known.is(stored)) => Match::Yes,
                Match::Unsure if different.iter().any(|known| known.is(stored)) => Match::No,
                sure => sure,
            });
            match found {
                Found::Hit(index) => return Ok(act(&mut store, Some(index))),
                Found::Miss => return Ok(act(&mut store, None)),
                Found::Unsure(index) => unknown = store.key(index).map(|key| key.clone_ref(py)),
            }
        }
    }

    #[inline]
    pub(super) fn look(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<Object>> {
        let (py, tag) = (key.py(), tag_of(key)?);
        let now = self.now(py)?;
        let mut store = self.lock();
        let late = match store.find(tag, |stored| compare(stored, key)) {
            Found::Hit(index) => match store.hit(index, now) {
                Some(value) => return Ok(Some(value.clone_ref(py))),
                None => index,
            },
            Found::Miss => {
                store.count_miss();
                return Ok(None);
            }
            Found::Unsure(_) => {
                drop(store);
                return self.look_by_python(key, tag, now);
            }
        };
        let mut gone = Gone::default();
        store.miss_late(late, &mut gone);
        drop(store);
        drop(gone);
        Ok(None)
    }

    #[cold]
    fn look_by_python(
        &self,
        key: &Bound<'_, PyAny>,
        tag: u32,
        now: f64,
    ) -> PyResult<Option<Object>> {
        let mut gone = Gone::default();
        self.entry(key, tag, |store, found| {
            let value = read(store, found, now, &mut gone);
            value.map(|value| value.clone_ref(key.py()))
        })
    }

    pub(super) fn glance(&self, key: &Bound<'_, PyAny>) -> PyResult<Option<Object>> {
        let (py, tag) = (key.py(), tag_of(key)?);
        let now = self.now(py)?;
        self.entry(key, tag, |store, found| {
            found.and_then(|index| store.peek(index, now).map(|value| value.clone_ref(py)))
        })
    }

    pub(super) fn store_one(
        &self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        given: &Given<'_, '_>,
    ) -> PyResult<()> {
        let (py, tag) = (key.py(), tag_of(key)?);
        let ttl = self.ttl_of(given.ttl)?;
        let labels = Self::labels_of(given.tags)?;
        let weight = self.weight_of(given.weight, key, value)?;
        let (expires, now) = self.deadline(py, ttl)?;
        let terms = Terms {
            expires,
            weight,
            labels: &labels,
        };
        let mut gone = Gone::default();
        let new = value.clone().unbind();
        self.entry(key, tag, |store, found| {
            let key = || key.clone().unbind();
            store.put(tag, found, key, new, &terms, now, &mut gone);
        })
    }

    pub(super) fn remove_one(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let tag = tag_of(key)?;
        let now = self.now(key.py())?;
        let mut gone = Gone::default();
        self.entry(key, tag, |store, found| {
            found.is_some_and(|index| store.remove(index, now, &mut gone))
        })
    }
}

/// Looks up what was found, and counts it.
#[inline]
pub(super) fn read<'a>(
    store: &'a mut Objects,
    found: Option<u32>,
    now: f64,
    gone: &mut Gone,
) -> Option<&'a Object> {
    let Some(index) = found else {
        store.count_miss();
        return None;
    };
    if store.is_late(index, now) {
        store.miss_late(index, gone);
        return None;
    }
    store.hit(index, now)
}
