//! Normalization by this Python's own methods, for strings beyond ASCII: its Unicode tables
//! are the ones that count, and they differ from Rust's.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

/// What is to be done.
pub(super) struct Foreign {
    pub(super) form: Option<String>,
    pub(super) case: Option<String>,
    pub(super) whitespace: bool,
    pub(super) controls: bool,
}

impl Foreign {
    pub(super) fn normalize<'py>(
        &self,
        string: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyString>> {
        let py = string.py();
        let methods = Methods::get(py)?;
        let mut text = string.clone().into_any();
        if let Some(form) = &self.form {
            text = unicodedata_normalize(py)?.call1((form, text))?;
        }
        if self.controls {
            let table = dropped_controls(py)?;
            text = methods.translate.bind(py).call1((text, table))?;
        }
        let case = match self.case.as_deref() {
            Some("lower") => Some(&methods.lower),
            Some("upper") => Some(&methods.upper),
            Some(_) => Some(&methods.casefold),
            None => None,
        };
        if let Some(case) = case {
            text = case.bind(py).call1((text,))?;
        }
        if self.whitespace {
            let words = methods.split.bind(py).call1((text,))?;
            text = methods.join.bind(py).call1((words,))?;
        }
        let text = text.cast_into::<PyString>()?;
        let same = same_text(&text, string)?;
        Ok(if same { string.clone() } else { text })
    }
}

/// The methods of `str`, looked up once.
struct Methods {
    lower: Py<PyAny>,
    upper: Py<PyAny>,
    casefold: Py<PyAny>,
    translate: Py<PyAny>,
    split: Py<PyAny>,
    join: Py<PyAny>,
    equal: Py<PyAny>,
}

impl Methods {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        static METHODS: PyOnceLock<Methods> = PyOnceLock::new();
        METHODS.get_or_try_init(py, || {
            let kind = py.get_type::<PyString>();
            let method = |name: &str| -> PyResult<Py<PyAny>> { Ok(kind.getattr(name)?.unbind()) };
            Ok(Self {
                lower: method("lower")?,
                upper: method("upper")?,
                casefold: method("casefold")?,
                translate: method("translate")?,
                split: method("split")?,
                join: PyString::new(py, " ").getattr("join")?.unbind(),
                equal: method("__eq__")?,
            })
        })
    }
}

/// The plain comparison of str, whatever a subclass makes of it.
pub(super) fn same_text(left: &Bound<'_, PyString>, right: &Bound<'_, PyString>) -> PyResult<bool> {
    let py = left.py();
    let equal = Methods::get(py)?.equal.bind(py);
    equal.call1((left, right))?.is_truthy()
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
