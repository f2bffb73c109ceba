//! Keys: hashed before the lock, compared under it only when that runs nobody's code.

use agent_core_utils::cache::Match;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyList, PyString};

/// A key and its hash, taken before the lock.
pub(super) struct Hashed<'py> {
    pub(super) key: Bound<'py, PyAny>,
    pub(super) hash: u64,
}

impl<'py> Hashed<'py> {
    pub(super) fn of(key: Bound<'py, PyAny>) -> PyResult<Self> {
        let hash = key.hash()?.cast_unsigned() as u64;
        Ok(Self { key, hash })
    }

    pub(super) fn all(keys: &Bound<'py, PyAny>) -> PyResult<Vec<Self>> {
        if let Ok(list) = keys.cast::<PyList>() {
            let snapshot: Vec<Bound<'py, PyAny>> = list.iter().collect();
            return snapshot.into_iter().map(Self::of).collect();
        }
        let snapshot: PyResult<Vec<Bound<'py, PyAny>>> = keys.try_iter()?.collect();
        snapshot?.into_iter().map(Self::of).collect()
    }
}

/// Types whose comparison runs no code of anybody else, so it is safe under the lock.
fn is_plain(object: &Bound<'_, PyAny>) -> bool {
    object.is_exact_instance_of::<PyString>()
        || object.is_exact_instance_of::<PyInt>()
        || object.is_exact_instance_of::<PyBytes>()
        || object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyBool>()
        || object.is_none()
}

/// Whether a stored key is the one looked for, if that can be told without anybody's code.
pub(super) fn compare(stored: &Py<PyAny>, key: &Bound<'_, PyAny>) -> Match {
    if stored.is(key) {
        return Match::Yes;
    }
    let stored = stored.bind(key.py());
    if !(is_plain(stored) && is_plain(key)) {
        return Match::Unsure;
    }
    match stored.eq(key) {
        Ok(true) => Match::Yes,
        Ok(false) | Err(_) => Match::No,
    }
}
