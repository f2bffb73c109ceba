//! `HttpClient`: the calling thread drives its request itself, without the interpreter.

use super::convert::{Errors, Extras, Raised, config, exception, hooks, order};
use super::response::{HttpResponse, pairs};
use crate::border::Border;
use agent_core_utils::http::{Answer, Config, Fault, Flight, Order, Reactor, Shared};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use std::sync::{Arc, Mutex, PoisonError};

/// A blocking client; see `agentcore.http.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct HttpClient {
    shared: Arc<Shared>,
    deadline: f64,
    errors: Errors,
    border: Arc<Border>,
}

type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

impl HttpClient {
    fn config(&self) -> &Config {
        &self.shared.config
    }

    fn order<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        url: &str,
        extras: &Extras<'_, 'py>,
    ) -> PyResult<(Order, Raised)> {
        order(self.config(), self.deadline, method, url, extras)?
            .map_err(|fault| self.errors.raise(py, &fault, ""))
    }

    fn fetch(
        &self,
        py: Python<'_>,
        method: &str,
        url: &str,
        extras: &Extras<'_, '_>,
    ) -> PyResult<HttpResponse> {
        let (order, raised) = self.order(py, method, url, extras)?;
        let shared = &self.shared;
        let outcome = py.detach(move || {
            let mut flight = shared
                .flight(order)
                .map_err(|fault| (fault, String::new()))?;
            shared
                .run(&mut flight)
                .map_err(|fault| (fault, flight.place()))
        });
        match outcome {
            Ok(answer) => Ok(HttpResponse::new(py, answer)),
            Err((fault, place)) => Err(exception(py, &self.errors, &fault, &place, &raised)),
        }
    }

    fn open(
        &self,
        py: Python<'_>,
        method: &str,
        url: &str,
        extras: &Extras<'_, '_>,
    ) -> PyResult<HttpStream> {
        let (mut order, raised) = self.order(py, method, url, extras)?;
        order.streamed = true;
        let shared = &self.shared;
        let outcome = py.detach(move || {
            let mut flight = shared
                .flight(order)
                .map_err(|fault| (fault, String::new()))?;
            let answer = shared
                .run(&mut flight)
                .map_err(|fault| (fault, flight.place()))?;
            Ok((answer, flight))
        });
        match outcome {
            Ok((answer, flight)) => Ok(HttpStream {
                shared: Arc::clone(shared),
                answer,
                flight: Mutex::new(Some(flight)),
                make: self.errors.clone(py),
                border: Arc::clone(&self.border),
            }),
            Err((fault, place)) => Err(exception(py, &self.errors, &fault, &place, &raised)),
        }
    }
}

/// The requests of a batch, checked one by one; a bad one is its own error.
pub(crate) fn batch(
    config: &Config,
    deadline: f64,
    requests: &Bound<'_, PyAny>,
) -> PyResult<Vec<Result<(Order, Raised), Fault>>> {
    let mut orders = Vec::new();
    for (at, request) in requests.try_iter()?.enumerate() {
        let request = request?;
        let made = if let Ok(url) = request.cast::<PyString>() {
            let extras = Extras {
                headers: None,
                body: None,
                idempotent: None,
                deadline: None,
                max_bytes: None,
            };
            order(config, deadline, "GET", &url.to_string_lossy(), &extras)?
        } else if let Ok(parts) = request.cast::<PyTuple>()
            && parts.len() == 5
        {
            let (method, url, headers, body, idempotent): (
                String,
                String,
                Bound<'_, PyAny>,
                Bound<'_, PyAny>,
                Option<bool>,
            ) = parts.extract()?;
            let extras = Extras {
                headers: Some(&headers).filter(|headers| !headers.is_none()),
                body: Some(&body).filter(|body| !body.is_none()),
                idempotent,
                deadline: None,
                max_bytes: None,
            };
            order(config, deadline, &method, &url, &extras)?
        } else {
            let kind = request.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "requests[{at}] must be a URL or an HttpRequest, got {kind}"
            )));
        };
        orders.push(made);
    }
    Ok(orders)
}

#[pymethods]
impl HttpClient {
    #[new]
    #[pyo3(signature = (options, make_error, on_fault=None))]
    fn new(
        py: Python<'_>,
        options: &Bound<'_, PyDict>,
        make_error: Py<PyAny>,
        on_fault: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let errors = Errors::new(make_error);
        let (config, deadline) = config(options)?.map_err(|fault| errors.raise(py, &fault, ""))?;
        Ok(Self {
            shared: Arc::new(Shared::new(config, hooks(options)?)),
            deadline,
            errors,
            border: Arc::new(Border::new("HttpClient", on_fault)),
        })
    }

    #[pyo3(signature = (url, headers=None, deadline=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        url: &str,
        headers: Given<'_, 'py>,
        deadline: Given<'_, 'py>,
    ) -> PyResult<Py<PyAny>> {
        let extras = Extras {
            headers,
            body: None,
            idempotent: None,
            deadline,
            max_bytes: None,
        };
        self.border.cross(
            py,
            || Ok(Py::new(py, self.fetch(py, "GET", url, &extras)?)?.into_any()),
            |twin| Ok(twin.call_method1("get", (url, headers, deadline))?.unbind()),
        )
    }

    #[pyo3(signature = (method, url, headers=None, body=None, idempotent=None, deadline=None, max_bytes=None))]
    #[allow(clippy::too_many_arguments)] // the contract's
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        url: &str,
        headers: Given<'_, 'py>,
        body: Given<'_, 'py>,
        idempotent: Option<bool>,
        deadline: Given<'_, 'py>,
        max_bytes: Option<u64>,
    ) -> PyResult<Py<PyAny>> {
        let extras = Extras {
            headers,
            body,
            idempotent,
            deadline,
            max_bytes,
        };
        self.border.cross(
            py,
            || Ok(Py::new(py, self.fetch(py, method, url, &extras)?)?.into_any()),
            |twin| {
                let arguments = (method, url, headers, body, idempotent, deadline, max_bytes);
                Ok(twin.call_method1("request", arguments)?.unbind())
            },
        )
    }

    #[pyo3(signature = (method, url, headers=None, body=None, idempotent=None, deadline=None, max_bytes=None))]
    #[allow(clippy::too_many_arguments)] // the contract's
    fn open_stream<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        url: &str,
        headers: Given<'_, 'py>,
        body: Given<'_, 'py>,
        idempotent: Option<bool>,
        deadline: Given<'_, 'py>,
        max_bytes: Option<u64>,
    ) -> PyResult<Py<PyAny>> {
        let extras = Extras {
            headers,
            body,
            idempotent,
            deadline,
            max_bytes,
        };
        self.border.cross(
            py,
            || Ok(Py::new(py, self.open(py, method, url, &extras)?)?.into_any()),
            |twin| {
                let arguments = (method, url, headers, body, idempotent, deadline, max_bytes);
                Ok(twin.call_method1("open_stream", arguments)?.unbind())
            },
        )
    }

    #[pyo3(signature = (requests, limit=64))]
    fn fetch_many<'py>(
        &self,
        py: Python<'py>,
        requests: &Bound<'py, PyAny>,
        limit: usize,
    ) -> PyResult<Py<PyAny>> {
        let answer = || {
            let made = batch(self.config(), self.deadline, requests)?;
            let mut raised = Vec::with_capacity(made.len());
            let mut orders = Vec::with_capacity(made.len());
            for one in made {
                match one {
                    Ok((order, own)) => {
                        raised.push(own);
                        orders.push(Ok(order));
                    }
                    Err(fault) => {
                        raised.push(Raised::default());
                        orders.push(Err(fault));
                    }
                }
            }
            let shared = Arc::clone(&self.shared);
            let outcomes = py
                .detach(move || Reactor::new(shared)?.run_all(orders, limit.max(1)))
                .map_err(|error| PyOSError::new_err(error.to_string()))?;
            let objects = outcomes
                .into_iter()
                .zip(raised)
                .map(|((place, outcome), raised)| match outcome {
                    Ok(answer) => Ok(Py::new(py, HttpResponse::new(py, answer))?.into_any()),
                    Err(fault) => Ok(exception(py, &self.errors, &fault, &place, &raised)
                        .into_value(py)
                        .into_any()),
                });
            let objects = objects.collect::<PyResult<Vec<_>>>()?;
            Ok(PyList::new(py, objects)?.into_any().unbind())
        };
        self.border.cross(py, answer, |twin| {
            Ok(twin.call_method1("fetch_many", (requests, limit))?.unbind())
        })
    }

    fn metrics(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let answer = || Ok(metrics(py, &self.shared)?.into_any().unbind());
        self.border.cross(py, answer, |twin| {
            Ok(twin.call_method0("metrics")?.unbind())
        })
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.close();
        self.border
            .cross(py, || Ok(()), |twin| twin.call_method0("close").map(drop))
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.shared.close();
        self.border.fall_back(py, cause).map(drop)
    }

    /// Panics inside, on purpose: lets the tests show that the twin answers then.
    fn _panic(&self, py: Python<'_>, url: &str) -> PyResult<Py<PyAny>> {
        self.border.cross(
            py,
            || panic!("on purpose"),
            |twin| Ok(twin.call_method1("get", (url,))?.unbind()),
        )
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.errors.traverse(&visit)?;
        self.border.traverse(&visit)
    }
}

/// Each origin's breaker and counts, by name.
pub(crate) fn metrics<'py>(py: Python<'py>, shared: &Shared) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for (name, breaker, counts) in shared.metrics() {
        let numbers = [
            counts.requests,
            counts.good,
            counts.refused,
            counts.errors,
            counts.failures,
            counts.retries,
            counts.redirects,
            counts.limited,
            counts.broken,
            counts.opened,
            counts.reused,
            counts.received,
        ];
        all.set_item(name, (breaker, PyTuple::new(py, numbers)?))?;
    }
    Ok(all)
}

/// What becomes of a request that was under way when native code faulted.
pub(crate) fn lost(cause: &str) -> Fault {
    Fault::protocol(format!("native code faulted under way: {cause}"))
}

/// A response whose body is read piece by piece.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct HttpStream {
    shared: Arc<Shared>,
    answer: Answer,
    flight: Mutex<Option<Flight>>,
    make: Errors,
    border: Arc<Border>,
}

#[pymethods]
impl HttpStream {
    /// `(status, headers, url, http_version, history, requests_sent)`.
    fn head<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        head_of(py, &self.answer)
    }

    /// The next piece; empty at the end.
    fn next_piece<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let read = || {
            let outcome = py.detach(|| {
                let mut held = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
                match held.as_mut() {
                    None => Ok(Vec::new()),
                    Some(flight) => self
                        .shared
                        .next_piece(flight)
                        .map_err(|fault| (fault, flight.place())),
                }
            });
            match outcome {
                Ok(piece) => Ok(PyBytes::new(py, &piece)),
                Err((fault, place)) => Err(self.make.raise(py, &fault, &place)),
            }
        };
        self.border.guard(py, read, |cause| {
            Err(self
                .make
                .raise(py, &lost(cause), &self.answer.url.to_string()))
        })
    }

    /// Gives the connection up if something is left on it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let give_up = || {
            py.detach(|| {
                let mut held = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(mut flight) = held.take() {
                    flight.abandon(&self.shared);
                }
            });
            Ok(())
        };
        self.border.guard(py, give_up, |_| Ok(()))
    }
}

impl Drop for HttpStream {
    fn drop(&mut self) {
        let held = self
            .flight
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = held {
            flight.abandon(&self.shared);
        }
    }
}

pub(crate) fn head_of<'py>(py: Python<'py>, answer: &Answer) -> PyResult<Bound<'py, PyTuple>> {
    (
        answer.head.status,
        pairs(py, &answer.head)?,
        answer.url.to_string(),
        answer.head.version.name(),
        PyTuple::new(py, &answer.history)?,
        answer.sent,
    )
        .into_pyobject(py)
}
