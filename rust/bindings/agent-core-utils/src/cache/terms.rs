//! What the cache's options and a call's arguments come to: times, weights, labels.

use super::entry::{seconds_of, tags_of, weight_of};
use super::{Cache, Object};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Cache {
    /// The time, where something can expire; else before all deadlines.
    #[inline]
    pub(super) fn now(&self, py: Python<'_>) -> PyResult<f64> {
        if !self.timed.load(Ordering::Relaxed) {
            return Ok(f64::NEG_INFINITY);
        }
        match &self.clock {
            Some(clock) => clock.bind(py).call0()?.extract(),
            None => Ok(seconds()),
        }
    }

    /// The time to live of an entry: the call's, else the cache's.
    #[inline]
    pub(super) fn ttl_of(&self, ttl: Option<&Bound<'_, PyAny>>) -> PyResult<Option<f64>> {
        match ttl {
            Some(ttl) => seconds_of("ttl", ttl).map(Some),
            None => Ok(self.ttl),
        }
    }

    /// When an entry set now expires, and now.
    #[inline]
    pub(super) fn deadline(&self, py: Python<'_>, ttl: Option<f64>) -> PyResult<(f64, f64)> {
        let Some(seconds) = ttl else {
            return Ok((f64::INFINITY, self.now(py)?));
        };
        self.timed.store(true, Ordering::Relaxed);
        let now = self.now(py)?;
        Ok((now + seconds, now))
    }

    /// What an entry weighs: the call's word, else the weigher's, else 1.
    #[inline]
    pub(super) fn weight_of(
        &self,
        weight: Option<&Bound<'_, PyAny>>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<u64> {
        match (weight, &self.weigher) {
            (Some(_), _) if !self.weighted => Err(PyValueError::new_err(
                "weight needs a cache with a maxweight",
            )),
            (Some(weight), _) => weight_of("weight must be", weight),
            (None, Some(weigher)) => weight_of(
                "weigher must return",
                &weigher.bind(key.py()).call1((key, value))?,
            ),
            (None, None) => Ok(1),
        }
    }

    /// The labels of an entry.
    #[inline]
    pub(super) fn labels_of(tags: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Arc<str>>> {
        tags.map_or_else(|| Ok(Vec::new()), tags_of)
    }

    /// The objects of the options, for the garbage collector.
    pub(super) fn held(&self) -> [&Option<Object>; 2] {
        [&self.clock, &self.weigher]
    }
}

/// Seconds of the kernel's coarse monotonic clock: a few milliseconds fine, and cheap to read.
#[expect(clippy::cast_precision_loss, reason = "an uptime")]
fn seconds() -> f64 {
    let time = clock_gettime(ClockId::MonotonicCoarse);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
