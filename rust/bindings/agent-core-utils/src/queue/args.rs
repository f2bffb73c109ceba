//! Arguments of the queue, checked and worded as in `agentcore.queue.contract`.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};

/// Ten years: the longest delay, lease, backoff and keeping.
const MAX_SECONDS: f64 = 315_360_000.0;
const MAX_NAME: usize = 200;
const MAX_TEXT: usize = 4000;
const MAX_PAYLOAD: usize = 64 << 20;
pub(crate) const MAX_ATTEMPTS: i64 = 1_000_000;
pub(crate) const MAX_BATCH: i64 = 100_000;

fn kind(value: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(value.get_type().name()?.to_string())
}

fn number(what: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let plain = value.is_instance_of::<PyFloat>()
        || (value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>());
    if plain {
        return Ok(value.extract::<f64>().unwrap_or(f64::INFINITY)); // an int beyond all floats
    }
    Err(PyTypeError::new_err(format!(
        "{what}, got {}",
        kind(value)?
    )))
}

/// Whole milliseconds, rounded half up.
#[allow(clippy::cast_possible_truncation)] // checked, or a clock's
pub(crate) fn to_ms(seconds: f64) -> i64 {
    (seconds * 1000.0 + 0.5).floor() as i64
}

/// A duration in milliseconds.
pub(crate) fn seconds(name: &str, value: &Bound<'_, PyAny>, least: f64) -> PyResult<i64> {
    let given = number(&format!("{name} must be a number of seconds"), value)?;
    if (least..=MAX_SECONDS).contains(&given) {
        return Ok(to_ms(given));
    }
    Err(PyValueError::new_err(format!(
        "{name} must be from {least} to {MAX_SECONDS} seconds, got {}",
        value.str()?
    )))
}

/// Microseconds between two leases.
#[allow(clippy::cast_possible_truncation)] // at most 10^10
pub(crate) fn gap(rate: &Bound<'_, PyAny>) -> PyResult<i64> {
    let given = number("rate must be a number of jobs a second", rate)?;
    if (0.0001..=1_000_000.0).contains(&given) {
        return Ok((1_000_000.0 / given + 0.5).floor() as i64);
    }
    Err(PyValueError::new_err(format!(
        "rate must be from 0.0001 to 1000000 jobs a second, got {}",
        rate.str()?
    )))
}

/// A whole number within its range.
pub(crate) fn int(name: &str, value: &Bound<'_, PyAny>, least: i64, most: i64) -> PyResult<i64> {
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        let kind = kind(value)?;
        return Err(PyTypeError::new_err(format!(
            "{name} must be an int, got {kind}"
        )));
    }
    match value.extract::<i64>() {
        Ok(given) if (least..=most).contains(&given) => Ok(given),
        _ => Err(PyValueError::new_err(format!(
            "{name} must be from {least} to {most}, got {}",
            value.str()?
        ))),
    }
}

fn string<'a, 'py>(name: &str, value: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyString>> {
    let kind = kind(value)?;
    value
        .cast::<PyString>()
        .map_err(|_| PyTypeError::new_err(format!("{name} must be str, got {kind}")))
}

/// The name of a queue or a schedule, or a key.
pub(crate) fn name(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    // One call less of the interpreter on the good way.
    if let Ok(text) = value.cast::<PyString>()
        && let Ok(text) = text.to_str()
    {
        let plain = text.len() <= MAX_NAME || text.chars().count() <= MAX_NAME;
        if plain && !text.is_empty() && !text.chars().any(|one| one < ' ') {
            return Ok(text.to_owned());
        }
    }
    let length = string(what, value)?.len()?;
    Err(PyValueError::new_err(format!(
        "{what} must be 1 to {MAX_NAME} characters without control characters, \
         got {length} characters"
    )))
}

/// A text of an error, without what no database stores.
pub(crate) fn text(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = string(what, value)?;
    let encoded = text.call_method1("encode", ("utf-32-le", "surrogatepass"))?;
    let points = encoded.cast::<PyBytes>()?.as_bytes().as_chunks::<4>().0;
    let replaced = |point: &[u8; 4]| match char::from_u32(u32::from_le_bytes(*point)) {
        None | Some('\0') => '\u{FFFD}',
        Some(one) => one,
    };
    Ok(points.iter().take(MAX_TEXT).map(replaced).collect())
}

/// A payload or a result.
pub(crate) fn bytes(what: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let found = if let Ok(bytes) = value.cast::<PyBytes>() {
        bytes.as_bytes()
    } else if let Ok(text) = value.cast::<PyString>() {
        let refused = |_| PyValueError::new_err(format!("{what} must be text that UTF-8 can hold"));
        text.to_str().map_err(refused)?.as_bytes()
    } else {
        let kind = kind(value)?;
        return Err(PyTypeError::new_err(format!(
            "{what} must be bytes or str, got {kind}"
        )));
    };
    if found.len() > MAX_PAYLOAD {
        let length = found.len();
        return Err(PyValueError::new_err(format!(
            "{what} must be at most {MAX_PAYLOAD} bytes, got {length}"
        )));
    }
    Ok(found.to_vec())
}
