//! The calls of many keys: all are hashed first, then one lock serves as long as no key needs
//! Python to be compared, then what went is dropped.

use super::access::{Given, read};
use super::entry::{Pairs, snapshot};
use super::keys::{compare, tag_of};
use super::{Cache, Gone, Object, Objects};
use agent_core_utils::cache::{Found, Terms};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::cell::RefCell;

/// Memory that batches use one after the other: given back each time, it would be faulted in anew.
#[derive(Default)]
struct Scratch {
    tags: Vec<u32>,
    values: Vec<Object>,
    gone: Gone,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Scratch {
    /// This thread's, or a fresh one while a batch of this thread runs further up.
    fn take() -> Self {
        let mut scratch = SCRATCH.take();
        scratch.tags.clear();
        scratch
    }

    fn give_back(mut self, py: Python<'_>) {
        let drop_ = |object: Object| drop(object.into_bound(py));
        self.gone.drain(drop_, drop_);
        self.values.drain(..).for_each(drop_);
        SCRATCH.set(self);
    }
}

impl Cache {
    /// Finds each key in turn and lets `act` work on its entry.
    #[inline]
    fn entries<'a, 'py: 'a>(
        &self,
        keys: impl Iterator<Item = (Borrowed<'a, 'py, PyAny>, u32)>,
        mut act: impl FnMut(&mut Objects, Option<u32>, usize),
    ) -> PyResult<()> {
        let mut store = self.lock();
        for (at, (key, tag)) in keys.enumerate() {
            let found = match store.find(tag, |stored| compare(stored, &key)) {
                Found::Hit(index) => Some(index),
                Found::Miss => None,
                Found::Unsure(_) => {
                    drop(store);
                    self.entry(&key, tag, |store, found| act(store, found, at))?;
                    store = self.lock();
                    continue;
                }
            };
            act(&mut store, found, at);
        }
        Ok(())
    }

    pub(super) fn read_many<'py>(
        &self,
        keys: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Object> {
        let py = keys.py();
        let keys = snapshot(keys)?;
        let mut scratch = Scratch::take();
        hash_all(&keys, &mut scratch.tags)?;
        let now = self.now(py)?;
        let none = py.None().into_bound(py);
        let missing = default.unwrap_or(&none).as_unbound();
        let Scratch { tags, values, gone } = &mut scratch;
        values.reserve(keys.len());
        let both = keys.iter_borrowed().zip(tags.iter().copied());
        self.entries(both, |store, found, _| {
            let value = read(store, found, now, gone);
            values.push(value.unwrap_or(missing).clone_ref(py));
        })?;
        let list = PyList::new(py, values.drain(..));
        scratch.give_back(py);
        Ok(list?.into_any().unbind())
    }

    pub(super) fn store_many(
        &self,
        items: &Bound<'_, PyAny>,
        given: &Given<'_, '_>,
    ) -> PyResult<()> {
        let py = items.py();
        let held = Pairs::of(items)?;
        let tuples = held.rows()?;
        let rows = held.pairs(&tuples)?;
        let mut scratch = Scratch::take();
        for (key, _) in &rows {
            scratch.tags.push(tag_of(key)?);
        }
        let ttl = self.ttl_of(given.ttl)?;
        let labels = Self::labels_of(given.tags)?;
        let mut weights = Vec::new();
        if self.weigher.is_some() {
            for (key, value) in &rows {
                weights.push(self.weight_of(None, key, value)?);
            }
        }
        let (expires, now) = self.deadline(py, ttl)?;
        let plain = expires.is_infinite() && labels.is_empty();
        let Scratch { tags, gone, .. } = &mut scratch;
        let keys = rows.iter().map(|row| row.0).zip(tags.iter().copied());
        let tags = &*tags;
        self.entries(keys, |store, found, at| {
            let (key, value) = rows[at];
            if plain
                && let Some(index) = found
                && store.renew(index, |held| held.is(value))
            {
                return;
            }
            let terms = Terms {
                expires,
                weight: weights.get(at).copied().unwrap_or(1),
                labels: &labels,
            };
            let key = || key.to_owned().unbind();
            let value = value.to_owned().unbind();
            store.put(tags[at], found, key, value, &terms, now, gone);
        })?;
        scratch.give_back(py);
        Ok(())
    }

    pub(super) fn remove_many(&self, keys: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = keys.py();
        let keys = snapshot(keys)?;
        let mut scratch = Scratch::take();
        hash_all(&keys, &mut scratch.tags)?;
        let now = self.now(py)?;
        let mut removed = 0;
        let Scratch { tags, gone, .. } = &mut scratch;
        let both = keys.iter_borrowed().zip(tags.iter().copied());
        self.entries(both, |store, found, _| {
            let live = found.is_some_and(|index| store.remove(index, now, gone));
            removed += usize::from(live);
        })?;
        scratch.give_back(py);
        Ok(removed)
    }
}

fn hash_all(keys: &Bound<'_, PyTuple>, tags: &mut Vec<u32>) -> PyResult<()> {
    for key in keys.iter_borrowed() {
        tags.push(tag_of(&key)?);
    }
    Ok(())
}
