//! What is done with one entry while the store is locked, and how arguments are read.
//!
//! Objects that leave the store are returned, to be dropped after the lock.

use super::keys::Hashed;
use super::{Object, Objects};
use agent_core_utils::cache::{Outcome, Ticket, checked_ttl};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// What a look-up brings out of the store; what was removed is dropped after the lock.
pub(super) enum Looked {
    Value(Object),
    Missing,
    Expired { _gone: (Object, Object) },
}

/// What a call took out of the store.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) entries: Vec<(Object, Object)>,
    pub(super) value: Option<Object>,
}

/// Looks an entry up and counts it.
pub(super) fn read(
    store: &mut Objects,
    ticket: Option<Ticket>,
    now: f64,
    py: Python<'_>,
) -> Looked {
    let Some(ticket) = ticket else {
        store.count_miss();
        return Looked::Missing;
    };
    match store.read(ticket, now) {
        Outcome::Live(value) => Looked::Value(value.clone_ref(py)),
        Outcome::Expired(key, value) => Looked::Expired {
            _gone: (key, value),
        },
        Outcome::Gone => Looked::Missing,
    }
}

/// Stores a pair.
pub(super) fn put(
    store: &mut Objects,
    ticket: Option<Ticket>,
    hashed: &Hashed<'_>,
    value: Object,
    (expires, now): (f64, f64),
) -> Gone {
    let mut gone = Gone::default();
    let mut value = value;
    if let Some(ticket) = ticket {
        if store.is_expired(ticket, now) {
            gone.entries.extend(store.take_expired(ticket));
        } else {
            match store.replace(ticket, value, expires) {
                Ok(old) => {
                    gone.value = Some(old);
                    return gone;
                }
                Err(back) => value = back,
            }
        }
    }
    let key = hashed.key.clone().unbind();
    store.insert(hashed.hash, key, value, expires, &mut gone.entries);
    gone
}

/// Removes an entry; returns it, and whether it was live.
pub(super) fn remove(
    store: &mut Objects,
    ticket: Option<Ticket>,
    now: f64,
) -> (bool, Option<(Object, Object)>) {
    match ticket {
        None => (false, None),
        Some(ticket) if store.is_expired(ticket, now) => (false, store.take_expired(ticket)),
        Some(ticket) => (true, store.remove(ticket)),
    }
}

/// A time to live from Python, or the contract's error.
pub(super) fn ttl_of(ttl: &Bound<'_, PyAny>) -> PyResult<f64> {
    let refusal =
        |repr: String| format!("ttl must be a positive number of seconds or None, got {repr}");
    let repr = || ttl.repr().map(|repr| repr.to_string());
    let Ok(seconds) = ttl.extract::<f64>() else {
        return Err(PyTypeError::new_err(refusal(repr()?)));
    };
    match checked_ttl(seconds) {
        Ok(seconds) => Ok(seconds),
        Err(_) => Err(PyValueError::new_err(refusal(repr()?))),
    }
}

/// The pairs of a dict, or of an iterable of two-tuples.
pub(super) fn pairs<'py>(
    items: &Bound<'py, PyAny>,
) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    if let Ok(dict) = items.cast::<PyDict>() {
        return Ok(dict.iter().collect());
    }
    let mut pairs = Vec::new();
    let snapshot: PyResult<Vec<Bound<'py, PyAny>>> = items.try_iter()?.collect();
    for (at, item) in snapshot?.into_iter().enumerate() {
        let pair = item.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
        let Some(pair) = pair else {
            let kind = item.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "items[{at}] must be a (key, value) tuple, got {kind}"
            )));
        };
        pairs.push((pair.get_item(0)?, pair.get_item(1)?));
    }
    Ok(pairs)
}
