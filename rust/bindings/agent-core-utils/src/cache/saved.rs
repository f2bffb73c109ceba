//! The whole content: listed for iteration, dumped for a pickle, taken over from one.

use super::entry::{tags_of, weight_of};
use super::keys::tag_of;
use super::{Cache, Object};
use agent_core_utils::cache::{Saved, Terms};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::sync::atomic::Ordering;

type Row<'py> = (
    Bound<'py, PyAny>, // key
    Bound<'py, PyAny>, // value
    usize,             // queue
    u32,               // frequency
    Option<f64>,       // seconds to live
    Option<f64>,       // seconds to idle
    Bound<'py, PyAny>, // weight
    Bound<'py, PyAny>, // tags
);

impl Cache {
    pub(super) fn live(&self, py: Python<'_>) -> PyResult<Vec<(Object, Object)>> {
        let now = self.now(py)?;
        let store = self.lock();
        let both = |(key, value): (&Object, &Object)| (key.clone_ref(py), value.clone_ref(py));
        Ok(store.iter(now).map(both).collect())
    }

    pub(super) fn dump(&self, py: Python<'_>) -> PyResult<Object> {
        let now = self.now(py)?;
        let left = |deadline: f64| deadline.is_finite().then_some(deadline - now);
        let mut rows = Vec::new();
        for (key, value, saved) in self.lock().saved(now) {
            let labels = saved.terms.labels.to_vec();
            let times = (left(saved.terms.expires), left(saved.idle));
            let numbers = (saved.queue, saved.frequency, saved.terms.weight);
            rows.push((
                key.clone_ref(py),
                value.clone_ref(py),
                numbers,
                times,
                labels,
            ));
        }
        let list = PyList::empty(py); // made without the lock
        for (key, value, (queue, frequency, weight), (ttl, tti), labels) in rows {
            let labels = PyTuple::new(py, labels.iter().map(|label| &**label))?;
            list.append((key, value, queue, frequency, ttl, tti, weight, labels))?;
        }
        Ok(list.into_any().unbind())
    }

    pub(super) fn adopt(&self, entries: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = entries.py();
        let rows: Vec<Row<'_>> = entries.extract()?;
        if rows.iter().any(|row| row.4.is_some() || row.5.is_some()) {
            self.timed.store(true, Ordering::Relaxed);
        }
        let now = self.now(py)?;
        let until = |left: Option<f64>| left.map_or(f64::INFINITY, |seconds| now + seconds);
        for (key, value, queue, frequency, ttl, tti, weight, tags) in rows {
            let tag = tag_of(&key)?;
            let labels = tags_of(&tags)?;
            let saved = Saved {
                terms: Terms {
                    expires: until(ttl),
                    weight: weight_of("weight must be", &weight)?,
                    labels: &labels,
                },
                idle: until(tti),
                queue,
                frequency,
            };
            let (key, value) = (key.unbind(), value.unbind());
            self.lock().adopt(tag, key, value, &saved);
        }
        Ok(())
    }
}
