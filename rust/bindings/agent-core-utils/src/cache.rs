//! `Cache`: Python keys and values in the native store.
//!
//! The store's lock is never held while Python code could run: not while keys of unknown
//! types are compared, not while a removed object is dropped, not while a Python object is
//! made (which may start a garbage collection). So a key's `__eq__`, a `__del__` or a clock
//! may call the same cache.

mod access;
mod entry;
mod keys;

use crate::border::Border;
use agent_core_utils::cache::{MAXSIZE_LIMIT, Policy, Store};
use entry::{Looked, pairs, put, read, remove, ttl_of};
use keys::Hashed;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

type Object = Py<PyAny>;
type Objects = Store<Object, Object>;

/// A bounded cache of any hashable key to any value; see `agentcore.cache.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Cache {
    store: Mutex<Objects>,
    ttl: Option<f64>,
    clock: Option<Object>,
    started: Instant,
    timed: AtomicBool,
    border: Border,
}

#[pymethods]
impl Cache {
    #[new]
    #[pyo3(signature = (maxsize, policy="s3fifo", ttl=None, clock=None, on_fault=None))]
    fn new(
        maxsize: i64,
        policy: &str,
        ttl: Option<&Bound<'_, PyAny>>,
        clock: Option<Object>,
        on_fault: Option<Object>,
    ) -> PyResult<Self> {
        let refused = |error: agent_core_utils::Error| PyValueError::new_err(error.to_string());
        let policy: Policy = policy.parse().map_err(refused)?;
        let size = usize::try_from(maxsize)
            .ok()
            .filter(|size| (1..=MAXSIZE_LIMIT).contains(size));
        let Some(size) = size else {
            let message = format!("maxsize must be from 1 to {MAXSIZE_LIMIT}, got {maxsize}");
            return Err(PyValueError::new_err(message));
        };
        let ttl = ttl.map(ttl_of).transpose()?;
        Ok(Self {
            store: Mutex::new(Store::new(size, policy).map_err(refused)?),
            ttl,
            clock,
            started: Instant::now(),
            timed: AtomicBool::new(ttl.is_some()),
            border: Border::new("Cache", on_fault),
        })
    }

    #[pyo3(signature = (key, default=None, /))]
    fn get(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        default: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Object> {
        let answer = || Ok(self.look(py, key)?.unwrap_or_else(|| or_none(py, default)));
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("get", (key, default)))
        })
    }

    #[pyo3(signature = (key, default=None, /))]
    fn peek(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        default: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Object> {
        let answer = || {
            Ok(self
                .glance(py, key)?
                .unwrap_or_else(|| or_none(py, default)))
        };
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("peek", (key, default)))
        })
    }

    #[pyo3(signature = (key, value, /, ttl=None))]
    fn set(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        ttl: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let answer = || self.store_one(py, key, value, ttl);
        self.border.cross(py, answer, |twin| {
            twin.call_method1("set", (key, value, ttl)).map(drop)
        })
    }

    #[pyo3(signature = (key, /))]
    fn delete(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = || self.remove_one(py, key);
        self.border
            .cross(py, answer, |twin| take(twin.call_method1("delete", (key,))))
    }

    #[pyo3(signature = (keys, default=None, /))]
    fn get_many<'py>(
        &self,
        py: Python<'py>,
        keys: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Object> {
        let answer = || {
            let hashed = Hashed::all(keys)?;
            let now = self.now(py)?;
            let looked = self.entries(&hashed, |store, ticket, _| read(store, ticket, now, py))?;
            let values = looked.into_iter().map(|one| match one {
                Looked::Value(value) => value,
                Looked::Missing | Looked::Expired { .. } => or_none(py, default),
            });
            let values: Vec<Object> = values.collect();
            Ok(PyList::new(py, values)?.into_any().unbind())
        };
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("get_many", (keys, default)))
        })
    }

    #[pyo3(signature = (items, /, ttl=None))]
    fn set_many<'py>(
        &self,
        py: Python<'py>,
        items: &Bound<'py, PyAny>,
        ttl: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let answer = || {
            let (keys, values): (Vec<_>, Vec<_>) = pairs(items)?.into_iter().unzip();
            let hashed: PyResult<Vec<Hashed<'py>>> = keys.into_iter().map(Hashed::of).collect();
            let hashed = hashed?;
            let times = self.deadline(py, ttl)?;
            let _gone = self.entries(&hashed, |store, ticket, at| {
                put(
                    store,
                    ticket,
                    &hashed[at],
                    values[at].clone().unbind(),
                    times,
                )
            })?;
            Ok(())
        };
        self.border.cross(py, answer, |twin| {
            twin.call_method1("set_many", (items, ttl)).map(drop)
        })
    }

    #[pyo3(signature = (keys, /))]
    fn delete_many<'py>(&self, py: Python<'py>, keys: &Bound<'py, PyAny>) -> PyResult<usize> {
        let answer = || {
            let hashed = Hashed::all(keys)?;
            let now = self.now(py)?;
            let gone = self.entries(&hashed, |store, ticket, _| remove(store, ticket, now))?;
            Ok(gone.iter().filter(|(live, _)| *live).count())
        };
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("delete_many", (keys,)))
        })
    }

    fn expire(&self, py: Python<'_>) -> PyResult<usize> {
        let answer = || {
            let now = self.now(py)?;
            let gone = self.lock().sweep(now);
            Ok(gone.len())
        };
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("expire")))
    }

    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let answer = || {
            let gone = self.lock().clear();
            drop(gone);
            Ok(())
        };
        self.border
            .cross(py, answer, |twin| twin.call_method0("clear").map(drop))
    }

    fn keys(&self, py: Python<'_>) -> PyResult<Object> {
        let answer = || {
            let keys = self.live(py)?.into_iter().map(|(key, _)| key);
            Ok(PyList::new(py, keys.collect::<Vec<_>>())?
                .into_any()
                .unbind())
        };
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("keys")))
    }

    fn items(&self, py: Python<'_>) -> PyResult<Object> {
        let answer = || Ok(PyList::new(py, self.live(py)?)?.into_any().unbind());
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("items")))
    }

    /// Returns `(hits, misses, evictions, expirations, size, maxsize)`.
    fn stats(&self, py: Python<'_>) -> PyResult<(u64, u64, u64, u64, usize, usize)> {
        let answer = || {
            let all = self.lock().stats();
            let counts = (all.hits, all.misses, all.evictions, all.expirations);
            Ok((
                counts.0,
                counts.1,
                counts.2,
                counts.3,
                all.size,
                all.maxsize,
            ))
        };
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("stats")))
    }

    fn __getitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<Object> {
        let answer = || {
            let found = self.look(py, key)?;
            found.ok_or_else(|| PyKeyError::new_err((key.clone().unbind(),)))
        };
        self.border
            .cross(py, answer, |twin| take(twin.get_item(key)))
    }

    fn __setitem__(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.set(py, key, value, None)
    }

    fn __delitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.delete(py, key)? {
            return Ok(());
        }
        Err(PyKeyError::new_err((key.clone().unbind(),)))
    }

    fn __contains__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = || Ok(self.glance(py, key)?.is_some());
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("__contains__", (key,)))
        })
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let answer = || Ok(self.lock().len());
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("__len__")))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.keys(py)?.bind(py).try_iter()
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.border.fall_back(py, cause).map(drop)
    }

    /// Panics inside, on purpose: lets the tests show that the twin answers then.
    fn _panic(&self, py: Python<'_>) -> PyResult<usize> {
        let answer = || {
            let _held = self.lock();
            panic!("on purpose");
        };
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("__len__")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.clock)?;
        self.border.traverse(&visit)?;
        // Held by another thread: its objects are in use, so they are no garbage.
        if let Ok(store) = self.store.try_lock() {
            for (key, value) in store.iter(f64::NEG_INFINITY) {
                visit.call(key)?;
                visit.call(value)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let gone = self.lock().clear();
        drop(gone);
    }
}

fn or_none(py: Python<'_>, default: Option<&Bound<'_, PyAny>>) -> Object {
    default.map_or_else(|| py.None(), |default| default.clone().unbind())
}

/// The twin's answer as this side's type.
fn take<'py, R>(answer: PyResult<Bound<'py, PyAny>>) -> PyResult<R>
where
    R: for<'a> FromPyObject<'a, 'py, Error: Into<PyErr>>,
{
    answer?.extract().map_err(Into::into)
}
