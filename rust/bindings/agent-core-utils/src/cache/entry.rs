//! How arguments are read: times, weights, tags, pairs; each refusal in the contract's words.

use agent_core_utils::cache::{MAXWEIGHT_LIMIT, checked_ttl};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};
use std::sync::Arc;

/// A time of the `name` given from Python, or the contract's error.
pub(super) fn seconds_of(name: &'static str, time: &Bound<'_, PyAny>) -> PyResult<f64> {
    let refusal = || -> PyResult<String> {
        let repr = time.repr()?.to_string();
        Ok(format!(
            "{name} must be a positive number of seconds or None, got {repr}"
        ))
    };
    let Ok(seconds) = time.extract::<f64>() else {
        return Err(PyTypeError::new_err(refusal()?));
    };
    match checked_ttl(name, seconds) {
        Ok(seconds) => Ok(seconds),
        Err(_) => Err(PyValueError::new_err(refusal()?)),
    }
}

/// A weight from Python; `what` begins the error: `weight must be` or `weigher must return`.
pub(super) fn weight_of(what: &str, weight: &Bound<'_, PyAny>) -> PyResult<u64> {
    let refusal = |got: String| format!("{what} an int from 0 to {MAXWEIGHT_LIMIT}, got {got}");
    if weight.is_instance_of::<PyBool>() || !weight.is_instance_of::<PyInt>() {
        let kind = weight.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(refusal(kind)));
    }
    match weight.extract::<u64>() {
        Ok(weight) if weight <= MAXWEIGHT_LIMIT => Ok(weight),
        _ => Err(PyValueError::new_err(refusal(weight.str()?.to_string()))),
    }
}

/// Tags from Python, each once, in the order given.
pub(super) fn tags_of(tags: &Bound<'_, PyAny>) -> PyResult<Vec<Arc<str>>> {
    if tags.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err(
            "tags must be an iterable of str, got one str",
        ));
    }
    let mut found: Vec<Arc<str>> = Vec::new();
    for (at, tag) in tags.try_iter()?.enumerate() {
        let tag = text_of(&format!("tags[{at}]"), &tag?)?;
        if !found.iter().any(|known| **known == *tag) {
            found.push(Arc::from(tag));
        }
    }
    Ok(found)
}

/// A tag from Python; `what` names it in the error.
pub(super) fn text_of(what: &str, tag: &Bound<'_, PyAny>) -> PyResult<String> {
    let Ok(text) = tag.cast::<PyString>() else {
        let kind = tag.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "{what} must be a str, got {kind}"
        )));
    };
    let text = text.to_str().map(ToOwned::to_owned);
    text.map_err(|_| PyValueError::new_err(format!("{what} holds a lone surrogate")))
}

/// A snapshot of an iterable, which holds its items so that they can be borrowed.
pub(super) fn snapshot<'py>(items: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    if let Ok(list) = items.cast_exact::<PyList>() {
        return Ok(list.to_tuple());
    }
    let found: PyResult<Vec<Bound<'py, PyAny>>> = items.try_iter()?.collect();
    PyTuple::new(items.py(), found?)
}

/// The keys and values that a batch is to store, held by one or two snapshots.
pub(super) enum Pairs<'py> {
    /// A tuple of pairs.
    Rows(Bound<'py, PyTuple>),
    /// The keys and the values of a dict.
    Columns(Bound<'py, PyTuple>, Bound<'py, PyTuple>),
}

pub(super) type Pair<'a, 'py> = (Borrowed<'a, 'py, PyAny>, Borrowed<'a, 'py, PyAny>);

impl<'py> Pairs<'py> {
    /// Of a mapping, or of an iterable of two-tuples.
    pub(super) fn of(items: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(dict) = items.cast::<PyDict>() {
            return Ok(Self::Columns(
                dict.keys().to_tuple(),
                dict.values().to_tuple(),
            ));
        }
        if items.is_exact_instance_of::<PyList>() || items.is_exact_instance_of::<PyTuple>() {
            return Ok(Self::Rows(snapshot(items)?));
        }
        let rows = match items.getattr_opt("items")? {
            Some(rows) => snapshot(&rows.call0()?)?,
            None => snapshot(items)?,
        };
        Ok(Self::Rows(rows))
    }

    /// The rows as tuples of two; none where there are columns.
    pub(super) fn rows(&self) -> PyResult<Vec<Borrowed<'_, 'py, PyTuple>>> {
        let Self::Rows(rows) = self else {
            return Ok(Vec::new());
        };
        let mut found = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter_borrowed().enumerate() {
            match row.cast::<PyTuple>() {
                Ok(pair) if pair.len() == 2 => found.push(pair),
                _ => return Err(not_a_pair(at, &row)),
            }
        }
        Ok(found)
    }

    /// The pairs; `rows` is what [`Self::rows`] returned.
    pub(super) fn pairs<'a>(
        &'a self,
        rows: &'a [Borrowed<'_, 'py, PyTuple>],
    ) -> PyResult<Vec<Pair<'a, 'py>>> {
        if let Self::Columns(keys, values) = self {
            return Ok(keys.iter_borrowed().zip(values.iter_borrowed()).collect());
        }
        let mut pairs = Vec::with_capacity(rows.len());
        for row in rows {
            pairs.push((row.get_borrowed_item(0)?, row.get_borrowed_item(1)?));
        }
        Ok(pairs)
    }
}

#[cold]
fn not_a_pair(at: usize, item: &Bound<'_, PyAny>) -> PyErr {
    match item.get_type().name() {
        Err(error) => error,
        Ok(kind) => PyTypeError::new_err(format!(
            "items[{at}] must be a (key, value) tuple, got {kind}"
        )),
    }
}
