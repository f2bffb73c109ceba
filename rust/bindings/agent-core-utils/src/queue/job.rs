//! `Job`: a leased job, as Python sees it.

use agent_core_utils::queue::{Handle, Info, Leased};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// A leased job; see `agentcore.queue.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Job {
    handle: Handle,
    queue: Py<PyString>,
    payload: Py<PyBytes>,
    attempt: i64,
    max_attempts: i64,
    deadline: f64,
}

impl Job {
    pub(super) fn new(
        py: Python<'_>,
        queue: &Bound<'_, PyString>,
        leased: Leased,
        deadline: f64,
    ) -> Self {
        Self {
            queue: queue.clone().unbind(),
            payload: PyBytes::new(py, &leased.payload).unbind(),
            attempt: leased.attempt,
            max_attempts: leased.max_attempts,
            deadline,
            handle: Handle {
                id: leased.id,
                lease: leased.lease,
                keep: leased.keep,
                key: leased.key,
            },
        }
    }
}

#[pymethods]
impl Job {
    #[getter]
    fn id(&self) -> i64 {
        self.handle.id
    }

    #[getter]
    fn lease(&self) -> i64 {
        self.handle.lease
    }

    #[getter]
    fn _keep(&self) -> i64 {
        self.handle.keep
    }

    #[getter]
    fn key(&self) -> Option<&str> {
        self.handle.key.as_deref()
    }

    #[getter]
    fn queue(&self, py: Python<'_>) -> Py<PyString> {
        self.queue.clone_ref(py)
    }

    #[getter]
    fn payload(&self, py: Python<'_>) -> Py<PyBytes> {
        self.payload.clone_ref(py)
    }

    #[getter]
    fn attempt(&self) -> i64 {
        self.attempt
    }

    #[getter]
    fn max_attempts(&self) -> i64 {
        self.max_attempts
    }

    #[getter]
    fn deadline(&self) -> f64 {
        self.deadline
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "<Job {} of {}, attempt {}/{}>",
            self.handle.id,
            self.queue.bind(py).repr()?,
            self.attempt,
            self.max_attempts
        ))
    }
}

/// What a job is reported by.
pub(super) fn handle(value: &Bound<'_, PyAny>) -> PyResult<Handle> {
    match value.cast::<Job>() {
        Ok(job) => Ok(job.get().handle.clone()),
        Err(_) => Err(PyTypeError::new_err(format!(
            "job must be a Job, got {}",
            value.get_type().name()?
        ))),
    }
}

pub(super) fn handles(values: &Bound<'_, PyAny>) -> PyResult<Vec<Handle>> {
    let mut found = Vec::new();
    for value in values.try_iter()? {
        found.push(handle(&value?)?);
    }
    Ok(found)
}

/// The columns of the contract's `JobInfo`.
pub(super) fn info(py: Python<'_>, job: Info) -> PyResult<Bound<'_, PyAny>> {
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let head = (
        job.id,
        job.queue,
        job.state.name(),
        job.priority,
        job.attempts,
        job.max_attempts,
    );
    let head = head.into_pyobject(py)?.into_any();
    let tail = (
        job.lease,
        seconds(job.created),
        job.due.map(seconds),
        job.key,
        job.error,
        PyBytes::new(py, &job.payload),
        job.result.map(|result| PyBytes::new(py, &result)),
    );
    head.add(tail.into_pyobject(py)?)
}
