//! `HttpResponse`: what came, turned into Python objects when it is looked at.

use agent_core_utils::http::{Answer, Head};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// A response; see `agentcore.http.contract.Response`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct HttpResponse {
    head: Head,
    content: Py<PyBytes>,
    url: String,
    history: Vec<String>,
    sent: u32,
}

/// Text of bytes, one character a byte.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| byte as char).collect()
}

/// Header fields as pairs of `str`, names in lower case.
pub(crate) fn pairs<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyTuple>> {
    let fields = head
        .fields()
        .map(|(name, value)| (latin1(name).to_ascii_lowercase(), latin1(value)));
    PyTuple::new(py, fields.collect::<Vec<_>>())
}

impl HttpResponse {
    pub(crate) fn new(py: Python<'_>, answer: Answer) -> Self {
        Self {
            content: PyBytes::new(py, &answer.body).unbind(),
            url: answer.url.to_string(),
            head: answer.head,
            history: answer.history,
            sent: answer.sent,
        }
    }
}

#[pymethods]
impl HttpResponse {
    #[getter]
    fn status(&self) -> u16 {
        self.head.status
    }

    #[getter]
    fn content<'py>(&self, py: Python<'py>) -> &Bound<'py, PyBytes> {
        self.content.bind(py)
    }

    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        pairs(py, &self.head)
    }

    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    #[getter]
    fn http_version(&self) -> &'static str {
        self.head.version.name()
    }

    #[getter]
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.history)
    }

    #[getter]
    fn requests_sent(&self) -> u32 {
        self.sent
    }

    #[pyo3(signature = (name, default=None, /))]
    fn header(
        &self,
        py: Python<'_>,
        name: &str,
        default: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        match self.head.first(name) {
            Some(value) => Ok(latin1(value).into_pyobject(py)?.into_any().unbind()),
            None => Ok(default.unwrap_or_else(|| py.None())),
        }
    }

    #[pyo3(signature = (encoding="utf-8"))]
    fn text<'py>(&self, py: Python<'py>, encoding: &str) -> PyResult<Bound<'py, PyAny>> {
        self.content
            .bind(py)
            .call_method1("decode", (encoding, "replace"))
    }

    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?
            .call_method1("loads", (self.content.bind(py),))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let size = self.content.bind(py).as_bytes().len();
        format!(
            "<Response {} of {size} bytes from {}>",
            self.head.status, self.url
        )
    }
}
