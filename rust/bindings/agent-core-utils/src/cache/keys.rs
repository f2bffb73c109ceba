//! Keys: hashed before the lock, compared under it only when that runs nobody's code.

use agent_core_utils::cache::{Match, tag_of_hash};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString, PyTuple};

const LONGEST: usize = 8; // tuples beyond that are compared without the lock

/// The tag of a key, from its hash.
#[inline]
pub(super) fn tag_of(key: &Bound<'_, PyAny>) -> PyResult<u32> {
    Ok(tag_of_hash(key.hash()?.cast_unsigned() as u64))
}

/// Types whose comparison runs no code of anybody else, so it is safe under the lock.
fn is_atom(object: &Bound<'_, PyAny>) -> bool {
    object.is_exact_instance_of::<PyString>()
        || object.is_exact_instance_of::<PyInt>()
        || object.is_exact_instance_of::<PyBytes>()
        || object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyBool>()
        || object.is_none()
}

fn is_plain(object: &Bound<'_, PyAny>) -> bool {
    is_atom(object)
        || object.cast_exact::<PyTuple>().is_ok_and(|tuple| {
            tuple.len() <= LONGEST && tuple.iter_borrowed().all(|item| is_atom(&item))
        })
}

/// Whether a stored key is the one looked for, if that can be told without anybody's code.
#[inline]
pub(super) fn compare(stored: &Py<PyAny>, key: &Bound<'_, PyAny>) -> Match {
    if stored.is(key) {
        return Match::Yes;
    }
    compare_values(stored.bind(key.py()), key)
}

fn compare_values(stored: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> Match {
    let strings =
        key.is_exact_instance_of::<PyString>() && stored.is_exact_instance_of::<PyString>();
    if !(strings || is_plain(stored) && is_plain(key)) {
        return Match::Unsure;
    }
    match stored.eq(key) {
        Ok(true) => Match::Yes,
        Ok(false) | Err(_) => Match::No,
    }
}
