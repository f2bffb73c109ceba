//! `normalize_many`, `redact_many` and `Matcher`: lists of `str` in, lists out.
//!
//! The work runs detached from the interpreter, on borrowed UTF-8. A string that does not
//! change is returned as the same object.

use agent_core_utils::Error;
use agent_core_utils::text::{
    Case, Hit, Kind, MatchKind, Matcher as Core, NormalizeOptions, Redactor, normalize_ascii,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use std::ops::Range;

/// Less text than this is done before another thread could have taken the interpreter.
const DETACH_BYTES: usize = 8 << 10;

fn refused(error: &Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn strings<'py>(name: &str, list: &Bound<'py, PyList>) -> PyResult<Vec<Bound<'py, PyString>>> {
    list.iter()
        .enumerate()
        .map(|(at, item)| {
            item.cast_into::<PyString>().map_err(|error| {
                let kind = error.into_inner().get_type().name();
                match kind {
                    Ok(kind) => {
                        PyTypeError::new_err(format!("{name}[{at}] must be str, got {kind}"))
                    }
                    Err(error) => error,
                }
            })
        })
        .collect()
}

/// Runs `work` without holding the interpreter when it is long enough to be worth it.
fn detached<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    if bytes < DETACH_BYTES {
        work()
    } else {
        py.detach(work)
    }
}

/// The UTF-8 of each string; of a string with lone surrogates, what `surrogatepass` makes.
struct Utf8<'a, 'py> {
    strings: &'a [Bound<'py, PyString>],
    passed: Vec<(usize, Bound<'py, PyBytes>)>,
}

impl<'a, 'py> Utf8<'a, 'py> {
    fn of(strings: &'a [Bound<'py, PyString>]) -> PyResult<Self> {
        let mut passed = Vec::new();
        for (at, string) in strings.iter().enumerate() {
            if string.to_str().is_err() {
                let bytes = string.call_method1("encode", ("utf-8", "surrogatepass"))?;
                passed.push((at, bytes.cast_into::<PyBytes>()?));
            }
        }
        Ok(Self { strings, passed })
    }

    fn slices(&self) -> Vec<&[u8]> {
        let mut slices: Vec<&[u8]> = self
            .strings
            .iter()
            .map(|string| string.to_str().map_or(&[][..], str::as_bytes))
            .collect();
        for (at, bytes) in &self.passed {
            slices[*at] = bytes.as_bytes();
        }
        slices
    }
}

fn total(slices: &[&[u8]]) -> usize {
    slices.iter().map(|slice| slice.len()).sum()
}

/// A new `str` of UTF-8 that may hold lone surrogates.
fn to_python<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyString>> {
    if let Ok(text) = std::str::from_utf8(utf8) {
        return Ok(PyString::new(py, text));
    }
    let decoded = PyBytes::new(py, utf8).call_method1("decode", ("utf-8", "surrogatepass"))?;
    Ok(decoded.cast_into::<PyString>()?)
}

/// Normalizes each string; see `agentcore.text.contract`.
#[pyfunction]
#[pyo3(signature = (texts, form, case, whitespace, controls))]
pub(crate) fn normalize_many<'py>(
    py: Python<'py>,
    texts: &Bound<'py, PyList>,
    form: Option<&str>,
    case: Option<&str>,
    whitespace: bool,
    controls: bool,
) -> PyResult<Bound<'py, PyList>> {
    let strings = strings("texts", texts)?;
    let options = NormalizeOptions {
        case: if case.is_some() {
            Case::Lower
        } else {
            Case::Keep
        },
        whitespace,
        controls,
    };
    let ascii: Vec<Option<&str>> = strings
        .iter()
        .map(|string| string.to_str().ok().filter(|text| text.is_ascii()))
        .collect();
    let bytes = ascii.iter().flatten().map(|text| text.len()).sum();
    let (buffer, changed) = detached(py, bytes, || {
        let mut buffer = Vec::with_capacity(bytes);
        let changed: Vec<Option<Range<usize>>> = ascii
            .iter()
            .map(|text| {
                let from = buffer.len();
                let differs = normalize_ascii(text.as_ref()?.as_bytes(), options, &mut buffer);
                if !differs {
                    buffer.truncate(from);
                }
                differs.then_some(from..buffer.len())
            })
            .collect();
        (buffer, changed)
    });
    let foreign = Foreign {
        form,
        case,
        whitespace,
        controls,
    };
    let mut out = Vec::with_capacity(strings.len());
    for ((string, range), ascii) in strings.iter().zip(changed).zip(&ascii) {
        out.push(match (range, ascii) {
            (Some(range), _) => to_python(py, &buffer[range])?,
            (None, Some(_)) => string.clone(),
            (None, None) => foreign.normalize(string)?,
        });
    }
    PyList::new(py, out)
}

/// The same operation by this Python's own methods, for strings beyond ASCII: its Unicode
/// tables are the ones that count, and they differ from Rust's.
struct Foreign<'a> {
    form: Option<&'a str>,
    case: Option<&'a str>,
    whitespace: bool,
    controls: bool,
}

impl Foreign<'_> {
    fn normalize<'py>(&self, string: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
        let py = string.py();
        let kind = py.get_type::<PyString>();
        let mut text = string.clone().into_any();
        if let Some(form) = self.form {
            text = unicodedata_normalize(py)?.call1((form, text))?;
        }
        if self.controls {
            text = kind.call_method1("translate", (text, dropped_controls(py)?))?;
        }
        if let Some(case) = self.case {
            let method = if case == "fold" { "casefold" } else { "lower" };
            text = kind.call_method1(method, (text,))?;
        }
        if self.whitespace {
            let words = kind.call_method1("split", (text,))?;
            text = PyString::new(py, " ").call_method1("join", (words,))?;
        }
        let text = text.cast_into::<PyString>()?;
        // The plain comparison of str, whatever a subclass makes of it.
        let same = kind.call_method1("__eq__", (&text, string))?.is_truthy()?;
        Ok(if same { string.clone() } else { text })
    }
}

fn unicodedata_normalize(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static NORMALIZE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    NORMALIZE
        .get_or_try_init(py, || {
            Ok(py.import("unicodedata")?.getattr("normalize")?.unbind())
        })
        .map(|normalize| normalize.bind(py))
}

/// A table for `str.translate` without the control characters that are no whitespace.
fn dropped_controls(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    static TABLE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    TABLE
        .get_or_try_init(py, || {
            let table = PyDict::new(py);
            let ranges = [0x00..=0x08, 0x0E..=0x1B, 0x7F..=0x84, 0x86..=0x9F_u32];
            for point in ranges.into_iter().flatten() {
                table.set_item(point, py.None())?;
            }
            Ok(table.unbind())
        })
        .map(|table| table.bind(py))
}

/// Replaces sensitive text of the named kinds in each string; see `agentcore.text.contract`.
#[pyfunction]
pub(crate) fn redact_many<'py>(
    py: Python<'py>,
    texts: &Bound<'py, PyList>,
    kinds: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyList>> {
    let mut chosen: Vec<Kind> = Vec::new();
    for kind in strings("kinds", kinds)? {
        chosen.push(kind.to_str()?.parse().map_err(|error| refused(&error))?);
    }
    let redactor = Redactor::new(chosen);
    let strings = strings("texts", texts)?;
    let utf8 = Utf8::of(&strings)?;
    let slices = utf8.slices();
    let bytes = total(&slices);
    let (buffer, changed) = detached(py, bytes, || {
        let mut buffer = Vec::new();
        let changed: Vec<Option<Range<usize>>> = slices
            .iter()
            .map(|text| {
                let from = buffer.len();
                let differs = redactor.redact(text, &mut buffer);
                differs.then_some(from..buffer.len())
            })
            .collect();
        (buffer, changed)
    });
    let mut out = Vec::with_capacity(strings.len());
    for (string, range) in strings.iter().zip(changed) {
        out.push(match range {
            Some(range) => to_python(py, &buffer[range])?,
            None => string.clone(),
        });
    }
    PyList::new(py, out)
}

/// Patterns made ready to be found in many strings; see `agentcore.text.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Matcher {
    core: Core,
}

#[pymethods]
impl Matcher {
    #[new]
    fn new(patterns: &Bound<'_, PyList>, kind: &str, ignore_case: bool) -> PyResult<Self> {
        let strings = strings("patterns", patterns)?;
        let utf8 = Utf8::of(&strings)?;
        let kind: MatchKind = kind.parse().map_err(|error| refused(&error))?;
        let core = Core::new(&utf8.slices(), kind, ignore_case).map_err(|error| refused(&error))?;
        Ok(Self { core })
    }

    /// Returns for each string its matches as `(pattern, start, end)`.
    fn find_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyList>> {
        let strings = strings("texts", texts)?;
        let utf8 = Utf8::of(&strings)?;
        let slices = utf8.slices();
        let (hits, ends) = detached(py, total(&slices), || {
            let mut hits: Vec<Hit> = Vec::new();
            let ends: Vec<usize> = slices
                .iter()
                .map(|text| {
                    self.core.find(text, &mut hits);
                    hits.len()
                })
                .collect();
            (hits, ends)
        });
        let mut from = 0;
        let mut out = Vec::with_capacity(ends.len());
        for end in ends {
            let found: PyResult<Vec<Bound<'py, PyTuple>>> = hits[from..end]
                .iter()
                .map(|hit| PyTuple::new(py, [hit.pattern, hit.start, hit.end]))
                .collect();
            out.push(PyList::new(py, found?)?);
            from = end;
        }
        PyList::new(py, out)
    }
}
