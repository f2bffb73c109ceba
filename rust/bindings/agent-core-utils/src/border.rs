//! The border of a native object: where a panic stops and the twin takes over.
//!
//! The facade hands over a function that makes the twin. At the first panic it is called
//! with the cause, and from then on every call is answered by what it returned. No frame of
//! Python is on the way of a good call.

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Guards the calls of one object.
pub(crate) struct Border {
    class: &'static str,
    on_fault: Option<Py<PyAny>>,
    twin: PyOnceLock<Py<PyAny>>,
}

impl Border {
    /// `on_fault(cause: str)` returns the twin, or raises what the caller shall see; `class`
    /// is what the error names when there is no such function.
    pub(crate) fn new(class: &'static str, on_fault: Option<Py<PyAny>>) -> Self {
        Self {
            class,
            on_fault,
            twin: PyOnceLock::new(),
        }
    }

    /// Answers natively, or by the twin once something panicked.
    #[inline]
    pub(crate) fn cross<'py, R>(
        &self,
        py: Python<'py>,
        native: impl FnOnce() -> PyResult<R>,
        twin: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<R>,
    ) -> PyResult<R> {
        if self.twin.get(py).is_none() {
            match catch_unwind(AssertUnwindSafe(native)) {
                Ok(answer) => return answer,
                Err(panic) => self.fall_back(py, &cause_of(&*panic))?,
            };
        }
        let Some(answering) = self.twin.get(py) else {
            return Err(PyRuntimeError::new_err("the twin was not kept")); // set just above
        };
        twin(answering.bind(py))
    }

    /// Runs what only this object can do, whoever answers new calls. A panic makes the twin answer
    /// later calls; `lost` says what becomes of this one, and of what was under way.
    pub(crate) fn guard<R>(
        &self,
        py: Python<'_>,
        native: impl FnOnce() -> PyResult<R>,
        lost: impl FnOnce(&str) -> PyResult<R>,
    ) -> PyResult<R> {
        match catch_unwind(AssertUnwindSafe(native)) {
            Ok(answer) => answer,
            Err(panic) => {
                let cause = cause_of(&*panic);
                let answer = lost(&cause); // first: falling back raises where native is required
                self.fall_back(py, &cause)?;
                answer
            }
        }
    }

    /// Makes the twin, once, and leaves the answers to it.
    pub(crate) fn fall_back<'py>(
        &self,
        py: Python<'py>,
        cause: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let twin = self.twin.get_or_try_init(py, || match &self.on_fault {
            Some(on_fault) => Ok(on_fault.bind(py).call1((cause,))?.unbind()),
            None => Err(PyRuntimeError::new_err(format!(
                "internal error in agent_core_utils.{}: {cause}",
                self.class
            ))),
        })?;
        Ok(twin.bind(py).clone())
    }

    /// Shows the garbage collector what is held.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.on_fault)
    }
}

fn cause_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "panic: {}",
        text.unwrap_or_else(|| "without a message".to_owned())
    )
}
