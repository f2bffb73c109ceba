//! Python values to the client's, and its failures to exceptions.

use agent_core_utils::http::{
    Config, Fault, Fields, Hooks, Kind, Order, Pull, Rules, Source, Timeouts, Url, checked_field,
    checked_method,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyIterator, PyMemoryView, PyString};
use std::sync::{Arc, Mutex, PoisonError};

/// What a caller's own body raised while it was read.
pub(crate) type Raised = Arc<Mutex<Option<PyErr>>>;

/// Makes the package's exceptions: `make_error(kind, text, where)`.
pub(crate) struct Errors {
    make: Py<PyAny>,
}

impl Errors {
    pub(crate) fn new(make: Py<PyAny>) -> Self {
        Self { make }
    }

    pub(crate) fn clone(&self, py: Python<'_>) -> Self {
        Self::new(self.make.clone_ref(py))
    }

    pub(crate) fn object<'py>(
        &self,
        py: Python<'py>,
        fault: &Fault,
        place: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let place = if fault.kind == Kind::Input { "" } else { place };
        self.make
            .bind(py)
            .call1((fault.kind.name(), &*fault.text, place))
    }

    pub(crate) fn raise(&self, py: Python<'_>, fault: &Fault, place: &str) -> PyErr {
        self.object(py, fault, place)
            .map_or_else(|error| error, PyErr::from_value)
    }

    pub(crate) fn traverse(
        &self,
        visit: &pyo3::gc::PyVisit<'_>,
    ) -> Result<(), pyo3::gc::PyTraverseError> {
        visit.call(&self.make)
    }
}

/// What a request may be given beside method and address.
pub(crate) struct Extras<'a, 'py> {
    pub(crate) headers: Option<&'a Bound<'py, PyAny>>,
    pub(crate) body: Option<&'a Bound<'py, PyAny>>,
    pub(crate) idempotent: Option<bool>,
    pub(crate) deadline: Option<&'a Bound<'py, PyAny>>,
    pub(crate) max_bytes: Option<u64>,
}

/// Checks a request as the twin does, in the same order.
pub(crate) fn order(
    config: &Config,
    default_deadline: f64,
    method: &str,
    url: &str,
    extras: &Extras<'_, '_>,
) -> PyResult<Result<(Order, Raised), Fault>> {
    let raised = Raised::default();
    if let Err(fault) = checked_method(method) {
        return Ok(Err(fault));
    }
    let url = match Url::parse(url) {
        Ok(url) => url,
        Err(fault) => return Ok(Err(fault)),
    };
    let fields = match extras.headers {
        None => Vec::new(),
        Some(headers) => match fields(headers)? {
            Ok(fields) => fields,
            Err(fault) => return Ok(Err(fault)),
        },
    };
    let source = source(extras.body, &raised)?;
    let within = match extras.deadline {
        None => default_deadline,
        Some(given) => match given.extract::<f64>() {
            Ok(seconds) if seconds.is_finite() && seconds > 0.0 => seconds,
            _ => {
                let shown = given.repr()?;
                return Ok(Err(Fault::input(format!(
                    "deadline must be a positive number of seconds, got {shown}"
                ))));
            }
        },
    };
    let order = Order {
        method: method.to_owned(),
        url,
        fields,
        source,
        idempotent: extras.idempotent,
        within,
        max_body: extras.max_bytes.unwrap_or(config.max_body),
        streamed: false,
    };
    Ok(Ok((order, raised)))
}

/// Header fields of a mapping or of pairs.
pub(crate) fn fields(headers: &Bound<'_, PyAny>) -> PyResult<Result<Fields, Fault>> {
    let items = if let Ok(dict) = headers.cast::<PyDict>() {
        dict.items().into_any()
    } else if headers.hasattr("items")? {
        headers.call_method0("items")?
    } else {
        headers.clone()
    };
    let mut fields = Vec::new();
    for item in items.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            item?.extract().map_err(|_| {
                PyTypeError::new_err(
                    "headers must be a mapping or an iterable of (name, value) pairs",
                )
            })?;
        let Ok(name) = name.cast::<PyString>() else {
            let kind = name.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a header's name must be str, got {kind}"
            )));
        };
        let name = name.to_string_lossy();
        let raw = if let Ok(text) = value.cast::<PyString>() {
            let mut raw = Vec::new();
            let text = text.to_string_lossy();
            for char in text.chars() {
                let Ok(byte) = u8::try_from(char) else {
                    // Names are judged first, so that one mistake has one message.
                    return Ok(checked_field(&name, b"").and_then(|lower| {
                        Err(Fault::input(format!(
                            "the value of the header '{lower}' is not Latin-1"
                        )))
                    }));
                };
                raw.push(byte);
            }
            raw
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            bytes.as_bytes().to_vec()
        } else {
            let kind = value.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a header's value must be str or bytes, got {kind}"
            )));
        };
        match checked_field(&name, &raw) {
            Ok(lower) => fields.push((lower, raw)),
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok(fields))
}

fn source(body: Option<&Bound<'_, PyAny>>, raised: &Raised) -> PyResult<Source> {
    let Some(body) = body else {
        return Ok(Source::Empty);
    };
    if let Some(whole) = piece(body)? {
        return Ok(Source::Whole(Arc::new(whole)));
    }
    let Ok(iterator) = body.try_iter() else {
        let kind = body.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "body must be bytes, str or an iterable of bytes, got {kind}"
        )));
    };
    Ok(Source::Pull(pull(iterator.unbind(), Arc::clone(raised))))
}

/// Bytes of an object that is some.
pub(crate) fn piece(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        Ok(Some(bytes.as_bytes().to_vec()))
    } else if let Ok(text) = object.cast::<PyString>() {
        Ok(Some(text.to_str()?.as_bytes().to_vec()))
    } else if object.is_instance_of::<PyByteArray>() || object.is_instance_of::<PyMemoryView>() {
        let bytes = object.py().get_type::<PyBytes>().call1((object,))?;
        Ok(Some(bytes.cast_into::<PyBytes>()?.as_bytes().to_vec()))
    } else {
        Ok(None)
    }
}

/// The pieces of an iterator; what it raises is kept for the caller.
fn pull(iterator: Py<PyIterator>, raised: Raised) -> Pull {
    Box::new(move || {
        Python::attach(|py| {
            let next = iterator.bind(py).clone().next();
            let outcome = match next {
                None => return Ok(None),
                Some(item) => item.and_then(|item| match piece(&item)? {
                    Some(bytes) => Ok(bytes),
                    None => Err(PyTypeError::new_err(format!(
                        "a piece of the body must be bytes, got {}",
                        item.get_type().name()?
                    ))),
                }),
            };
            outcome.map(Some).map_err(|error| {
                *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Fault::new(Kind::Body, "the body could not be read")
            })
        })
    })
}

/// The exception of a failure: what the caller's own body raised, if that was it.
pub(crate) fn exception(
    py: Python<'_>,
    errors: &Errors,
    fault: &Fault,
    place: &str,
    raised: &Raised,
) -> PyErr {
    let own = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
    match own {
        Some(error) if fault.kind == Kind::Body => error,
        _ => errors.raise(py, fault, place),
    }
}

/// A client's options, checked before by the facade.
pub(crate) fn config(options: &Bound<'_, PyDict>) -> PyResult<Result<(Config, f64), Fault>> {
    let get = |name: &str| -> PyResult<Bound<'_, PyAny>> {
        options
            .get_item(name)?
            .ok_or_else(|| PyTypeError::new_err(format!("the option '{name}' is missing")))
    };
    let float = |name: &str| -> PyResult<f64> { get(name)?.extract() };
    let rules = Rules {
        attempts: get("attempts")?.extract()?,
        backoff_base: float("backoff_base")?,
        backoff_cap: float("backoff_cap")?,
        retry_after_cap: float("retry_after_cap")?,
        budget_ratio: float("budget_ratio")?,
        budget_reserve: float("budget_reserve")?,
        rate: float("rate")?,
        burst: float("burst")?,
        failures: get("failures")?.extract()?,
        open_seconds: float("open_seconds")?,
        max_redirects: get("max_redirects")?.extract()?,
    };
    let proxy: Option<String> = get("proxy")?.extract()?;
    let proxy = match proxy.as_deref().map(Url::parse).transpose() {
        Ok(proxy) => proxy,
        Err(fault) => return Ok(Err(fault)),
    };
    let fields = match fields(&get("headers")?)? {
        Ok(fields) => fields,
        Err(fault) => return Ok(Err(fault)),
    };
    let config = Config {
        rules,
        timeouts: Timeouts {
            connect: float("connect_timeout")?,
            read: float("read_timeout")?,
            write: float("write_timeout")?,
            pool: float("pool_timeout")?,
        },
        max_body: get("max_response_bytes")?.extract()?,
        max_connections: get("max_connections")?.extract()?,
        max_idle: get("max_idle")?.extract()?,
        idle_seconds: float("idle_seconds")?,
        http2: get("http2")?.extract()?,
        cookies: get("cookies")?.extract()?,
        proxy,
        proxy_authorization: get("proxy_authorization")?.extract::<Option<Vec<u8>>>()?,
        ca_file: get("ca_file")?.extract::<Option<std::path::PathBuf>>()?,
        fields,
    };
    let deadline = get("deadline")?
        .extract::<Option<f64>>()?
        .unwrap_or(f64::INFINITY);
    Ok(Ok((config, deadline)))
}

/// What a client takes from outside: the callables of the facade's options.
pub(crate) fn hooks(options: &Bound<'_, PyDict>) -> PyResult<Hooks> {
    let get = |name: &str| -> PyResult<Option<Py<PyAny>>> {
        let found = options.get_item(name)?;
        Ok(found.filter(|found| !found.is_none()).map(Bound::unbind))
    };
    Ok(Hooks {
        clock: get("clock")?.map(reader),
        wall: get("wall_clock")?.map(reader),
        random: get("random")?.map(reader),
        sleep: get("sleep")?.map(|call| -> Box<dyn Fn(f64) + Send + Sync> {
            Box::new(move |seconds| {
                Python::attach(|py| {
                    if let Err(error) = call.call1(py, (seconds,)) {
                        error.write_unraisable(py, None);
                    }
                });
            })
        }),
    })
}

/// A callable that gives a number; one that fails gives 0 and is reported.
fn reader(call: Py<PyAny>) -> Box<dyn Fn() -> f64 + Send + Sync> {
    Box::new(move || {
        Python::attach(|py| {
            let answer = call
                .call0(py)
                .and_then(|answer| answer.bind(py).extract::<f64>());
            answer.unwrap_or_else(|error| {
                error.write_unraisable(py, None);
                0.0
            })
        })
    })
}
