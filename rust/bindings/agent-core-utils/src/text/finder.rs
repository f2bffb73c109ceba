//! `Matcher`: patterns made ready to be found in many strings, as lists or as one buffer.

use super::scratch;
use super::strings::{Texts, as_list, detached, strings};
use crate::border::Border;
use agent_core_utils::text::{Found, MatchKind, Matcher as Core};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

/// Patterns made ready; see `agentcore.text.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Matcher {
    core: Core,
    border: Border,
}

impl Matcher {
    fn search<'py, R>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        made: impl FnOnce(&Found) -> PyResult<R>,
    ) -> PyResult<R> {
        let strings = strings("texts", &as_list("texts", texts)?)?;
        let texts = Texts::of(&strings)?;
        let slices = texts.slices();
        if let Some(at) = slices
            .iter()
            .position(|text| u32::try_from(text.len()).is_err())
        {
            let message = format!("texts[{at}] is too long: less than 4 GiB can be searched");
            return Err(PyValueError::new_err(message));
        }
        let mut found = scratch::found();
        detached(py, texts.total(), || {
            self.core.find_batch(&slices, &mut found);
        });
        let answer = made(&found);
        scratch::keep_found(found);
        answer
    }
}

#[pymethods]
impl Matcher {
    #[new]
    #[pyo3(signature = (patterns, kind, ignore_case, on_fault=None))]
    fn new(
        patterns: &Bound<'_, PyList>,
        kind: &str,
        ignore_case: bool,
        on_fault: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let refused = |error: agent_core_utils::Error| PyValueError::new_err(error.to_string());
        let strings = strings("patterns", patterns)?;
        let kind: MatchKind = kind.parse().map_err(refused)?;
        let texts = Texts::of(&strings)?;
        Ok(Self {
            core: Core::new(&texts.slices(), kind, ignore_case).map_err(refused)?,
            border: Border::new("Matcher", on_fault),
        })
    }

    /// Returns for each string its matches as `(pattern, start, end)`.
    #[pyo3(signature = (texts))]
    fn find_many<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let lists = |found: &Found| {
            let mut out = Vec::new();
            for hits in found.texts() {
                let hits: PyResult<Vec<Bound<'py, PyTuple>>> = hits
                    .iter()
                    .map(|hit| PyTuple::new(py, [hit.pattern, hit.start, hit.end]))
                    .collect();
                out.push(PyList::new(py, hits?)?);
            }
            Ok(PyList::new(py, out)?.into_any())
        };
        let answer = || self.search(py, texts, lists);
        self.border
            .cross(py, answer, |twin| twin.call_method1("find_many", (texts,)))
    }

    /// Returns all matches as `(text, pattern, start, end)`, 32 bits each, in one `bytes`.
    #[pyo3(signature = (texts))]
    fn find_packed<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let packed = |found: &Found| {
            let bytes = PyBytes::new_with(py, found.count() * 16, |bytes| {
                let mut places = bytes.as_chunks_mut::<16>().0.iter_mut();
                for (text, hits) in (0_u32..).zip(found.texts()) {
                    for (hit, place) in hits.iter().zip(&mut places) {
                        place[..4].copy_from_slice(&text.to_ne_bytes());
                        place[4..8].copy_from_slice(&hit.pattern.to_ne_bytes());
                        place[8..12].copy_from_slice(&hit.start.to_ne_bytes());
                        place[12..].copy_from_slice(&hit.end.to_ne_bytes());
                    }
                }
                Ok(())
            })?;
            Ok(bytes.into_any())
        };
        let answer = || self.search(py, texts, packed);
        self.border.cross(py, answer, |twin| {
            twin.call_method1("find_packed", (texts,))
        })
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.border.fall_back(py, cause).map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.border.traverse(&visit)
    }
}
