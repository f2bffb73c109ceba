//! Python strings as UTF-8 and back; what arguments may be, in the twin's words.

use agent_core_utils::text::Kind;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use std::convert::Infallible;

/// Less text than this is done before another thread could have taken the interpreter.
const DETACH_BYTES: usize = 8 << 10;

/// An argument that may have been left out, where None would say something else.
pub(super) enum Given<'py> {
    Default,
    Value(Bound<'py, PyAny>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given<'py> {
    type Error = Infallible;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self::Value(object.to_owned()))
    }
}

impl<'py> Given<'py> {
    pub(super) fn or_else(&self, default: impl FnOnce() -> Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        match self {
            Self::Default => default(),
            Self::Value(value) => value.clone(),
        }
    }

    pub(super) fn truth(&self, default: bool) -> PyResult<bool> {
        match self {
            Self::Default => Ok(default),
            Self::Value(value) => value.is_truthy(),
        }
    }
}

/// `texts` as a list; one string is an easy slip and refused.
pub(super) fn as_list<'py>(name: &str, texts: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    if let Ok(list) = texts.cast_exact::<PyList>() {
        return Ok(list.clone());
    }
    let kind = texts.get_type();
    let text = texts.is_instance_of::<PyString>() || texts.is_instance_of::<PyBytes>();
    if text || !kind.hasattr("__iter__")? {
        let kind = kind.name()?;
        let message = format!("{name} must be an iterable of str, got {kind}");
        return Err(PyTypeError::new_err(message));
    }
    let list = texts.py().get_type::<PyList>().call1((texts,))?;
    Ok(list.cast_into::<PyList>()?)
}

/// The strings of a list.
pub(super) fn strings<'py>(
    name: &str,
    list: &Bound<'py, PyList>,
) -> PyResult<Vec<Bound<'py, PyString>>> {
    let mut strings = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        match item.cast_into::<PyString>() {
            Ok(string) => strings.push(string),
            Err(error) => {
                let kind = error.into_inner().get_type().name()?;
                let message = format!("{name}[{at}] must be str, got {kind}");
                return Err(PyTypeError::new_err(message));
            }
        }
    }
    Ok(strings)
}

/// One of `words`, or None.
pub(super) fn choice(
    name: &str,
    value: &Bound<'_, PyAny>,
    words: &[&str],
) -> PyResult<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    let given = value
        .cast::<PyString>()
        .ok()
        .and_then(|value| value.to_str().ok());
    if let Some(given) = given.filter(|given| words.contains(given)) {
        return Ok(Some(given.to_owned()));
    }
    let known: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let shown = value.repr()?;
    Err(PyValueError::new_err(format!(
        "{name} must be one of {}, None, got {shown}",
        known.join(", ")
    )))
}

/// The kinds of these names; all for None.
pub(super) fn kinds_of(kinds: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Kind>> {
    let Some(kinds) = kinds else {
        return Ok(Kind::ALL.to_vec());
    };
    let mut chosen = Vec::new();
    for kind in as_list("kinds", kinds)? {
        let name = kind
            .cast::<PyString>()
            .ok()
            .and_then(|name| name.to_str().ok());
        let Some(kind) = name.and_then(|name| name.parse().ok()) else {
            let shown = kind.repr()?;
            let known = Kind::ALL.map(Kind::name).join(", ");
            let message = format!("unknown kind {shown}; known are {known}");
            return Err(PyValueError::new_err(message));
        };
        chosen.push(kind);
    }
    Ok(chosen)
}

/// Runs `work` without holding the interpreter when it is long enough to be worth it.
pub(super) fn detached<T: Send>(
    py: Python<'_>,
    bytes: usize,
    work: impl FnOnce() -> T + Send,
) -> T {
    if bytes < DETACH_BYTES {
        work()
    } else {
        py.detach(work)
    }
}

/// The UTF-8 of each string; of a string with lone surrogates, what `surrogatepass` makes.
pub(super) struct Texts<'a, 'py> {
    strings: &'a [Bound<'py, PyString>],
    passed: Vec<(usize, Bound<'py, PyBytes>)>,
    total: usize,
}

impl<'a, 'py> Texts<'a, 'py> {
    pub(super) fn of(strings: &'a [Bound<'py, PyString>]) -> PyResult<Self> {
        let mut passed = Vec::new();
        let mut total = 0;
        for (at, string) in strings.iter().enumerate() {
            if let Ok(text) = string.to_str() {
                total += text.len();
            } else {
                let bytes = string.call_method1("encode", ("utf-8", "surrogatepass"))?;
                let bytes = bytes.cast_into::<PyBytes>()?;
                total += bytes.as_bytes().len();
                passed.push((at, bytes));
            }
        }
        Ok(Self {
            strings,
            passed,
            total,
        })
    }

    /// Their bytes, in all.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn slices(&self) -> Vec<&[u8]> {
        let mut passed = self.passed.iter().peekable();
        let each = |(at, string): (usize, &'a Bound<'py, PyString>)| {
            if let Some((_, bytes)) = passed.next_if(|(place, _)| *place == at) {
                return bytes.as_bytes();
            }
            string.to_str().map_or(&[][..], str::as_bytes)
        };
        self.strings.iter().enumerate().map(each).collect()
    }
}

/// A new `str` of UTF-8 that may hold lone surrogates.
pub(super) fn to_python<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyString>> {
    if let Ok(text) = std::str::from_utf8(utf8) {
        return Ok(PyString::new(py, text));
    }
    let decoded = PyBytes::new(py, utf8).call_method1("decode", ("utf-8", "surrogatepass"))?;
    Ok(decoded.cast_into::<PyString>()?)
}
