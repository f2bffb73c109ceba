//! `Cache`: Python keys and values in the native store.
//!
//! The store's lock is never held while Python code could run: not while keys of unknown
//! types are compared, not while a removed object is dropped, not while a Python object is
//! made (which may start a garbage collection). So a key's `__eq__`, a `__del__`, a weigher or
//! a clock may call the same cache.

mod access;
mod batch;
mod cached;
mod entry;
mod keys;
mod saved;
mod terms;

pub(crate) use cached::Cached;

use crate::border::Border;
use access::Given;
use agent_core_utils::cache::{Bounds, MAXSIZE_LIMIT, MAXWEIGHT_LIMIT, Policy, Store};
use entry::{seconds_of, text_of};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

type Object = Py<PyAny>;
type Objects = Store<Object, Object>;
type Gone = agent_core_utils::cache::Gone<Object, Object>;
type Given1<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// A bounded cache of any hashable key to any value; see `agentcore.cache.contract`.
#[pyclass(frozen, mapping, subclass, module = "agent_core_utils")]
pub(crate) struct Cache {
    store: Mutex<Objects>,
    timed: AtomicBool,
    weighted: bool,
    ttl: Option<f64>,
    clock: Option<Object>,
    weigher: Option<Object>,
    border: Border,
}

#[pymethods]
impl Cache {
    #[new]
    #[pyo3(signature = (
        maxsize, policy="s3fifo", ttl=None, clock=None, *,
        tti=None, maxweight=None, weigher=None, on_fault=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the contract's options")]
    fn new(
        maxsize: i64,
        policy: &str,
        ttl: Given1<'_, '_>,
        clock: Option<Object>,
        tti: Given1<'_, '_>,
        maxweight: Option<i128>,
        weigher: Option<Object>,
        on_fault: Option<Object>,
    ) -> PyResult<Self> {
        let refused = |error: agent_core_utils::Error| PyValueError::new_err(error.to_string());
        let beyond = |name, limit, got| {
            PyValueError::new_err(format!("{name} must be from 1 to {limit}, got {got}"))
        };
        let policy: Policy = policy.parse().map_err(refused)?;
        let size = usize::try_from(maxsize).ok().filter(|&size| size > 0);
        let size = size.ok_or_else(|| beyond("maxsize", MAXSIZE_LIMIT as u64, maxsize.into()))?;
        let weight = maxweight.map(|got| {
            let weight = u64::try_from(got)
                .ok()
                .filter(|&weight| weight <= MAXWEIGHT_LIMIT);
            weight.ok_or_else(|| beyond("maxweight", MAXWEIGHT_LIMIT, got))
        });
        let bounds = Bounds::new(size, weight.transpose()?);
        let ttl = ttl.map(|ttl| seconds_of("ttl", ttl)).transpose()?;
        let tti = tti.map(|tti| seconds_of("tti", tti)).transpose()?;
        Ok(Self {
            store: Mutex::new(Store::new(bounds, policy, tti).map_err(refused)?),
            timed: AtomicBool::new(ttl.is_some() || tti.is_some()),
            weighted: bounds.weighted(),
            ttl,
            clock,
            weigher,
            border: Border::new("Cache", on_fault),
        })
    }

    #[pyo3(signature = (key, default=None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Given1<'_, 'py>,
    ) -> PyResult<Object> {
        let answer = || Ok(self.look(key)?.unwrap_or_else(|| or_none(py, default)));
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("get", (key, default)))
        })
    }

    #[pyo3(signature = (key, default=None, /))]
    fn peek<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Given1<'_, 'py>,
    ) -> PyResult<Object> {
        let answer = || Ok(self.glance(key)?.unwrap_or_else(|| or_none(py, default)));
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("peek", (key, default)))
        })
    }

    #[pyo3(signature = (key, value, /, ttl=None, *, weight=None, tags=None))]
    fn set<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
        ttl: Given1<'_, 'py>,
        weight: Given1<'_, 'py>,
        tags: Given1<'_, 'py>,
    ) -> PyResult<()> {
        let given = Given { ttl, weight, tags };
        let answer = || self.store_one(key, value, &given);
        self.border.cross(py, answer, |twin| {
            let arguments = (key, value, ttl, weight, tags);
            twin.call_method1("_set", arguments).map(drop)
        })
    }

    #[pyo3(signature = (key, /))]
    fn delete(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = || self.remove_one(key);
        self.border
            .cross(py, answer, |twin| take(twin.call_method1("delete", (key,))))
    }

    #[pyo3(signature = (keys, default=None, /))]
    fn get_many<'py>(
        &self,
        py: Python<'py>,
        keys: &Bound<'py, PyAny>,
        default: Given1<'_, 'py>,
    ) -> PyResult<Object> {
        let answer = || self.read_many(keys, default);
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("get_many", (keys, default)))
        })
    }

    #[pyo3(signature = (items, /, ttl=None, *, tags=None))]
    fn set_many<'py>(
        &self,
        py: Python<'py>,
        items: &Bound<'py, PyAny>,
        ttl: Given1<'_, 'py>,
        tags: Given1<'_, 'py>,
    ) -> PyResult<()> {
        let weight = None;
        let answer = || self.store_many(items, &Given { ttl, weight, tags });
        self.border.cross(py, answer, |twin| {
            twin.call_method1("_set_many", (items, ttl, tags)).map(drop)
        })
    }

    #[pyo3(signature = (keys, /))]
    fn delete_many(&self, py: Python<'_>, keys: &Bound<'_, PyAny>) -> PyResult<usize> {
        let answer = || self.remove_many(keys);
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("delete_many", (keys,)))
        })
    }

    /// Returns the value; where it is missing, what the subclass's `_load` brings.
    #[pyo3(signature = (key, loader, /, ttl=None, *, weight=None, tags=None))]
    fn get_or_load<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
        loader: &Bound<'py, PyAny>,
        ttl: Given1<'_, 'py>,
        weight: Given1<'_, 'py>,
        tags: Given1<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match slf.get().look_or_none(slf.py(), key)? {
            Some(value) => Ok(value.into_bound(slf.py())),
            None => slf.call_method1("_load", (key, loader, ttl, weight, tags)),
        }
    }

    #[pyo3(signature = (tag, /))]
    fn invalidate_tag(&self, py: Python<'_>, tag: &Bound<'_, PyAny>) -> PyResult<usize> {
        let answer = || {
            let label = text_of("tag", tag)?;
            let now = self.now(py)?;
            let mut gone = Gone::default();
            Ok(self.lock().invalidate(&label, now, &mut gone))
        };
        self.border.cross(py, answer, |twin| {
            take(twin.call_method1("invalidate_tag", (tag,)))
        })
    }

    fn expire(&self, py: Python<'_>) -> PyResult<usize> {
        let answer = || {
            let now = self.now(py)?;
            let mut gone = Gone::default();
            Ok(self.lock().sweep(now, &mut gone))
        };
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("expire")))
    }

    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let answer = || {
            self.empty();
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

    /// Returns the entries with all that belongs to them; see the contract's `CacheCore`.
    fn _dump(&self, py: Python<'_>) -> PyResult<Object> {
        let answer = || self.dump(py);
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("_dump")))
    }

    /// Takes over what `_dump` returned, into an empty cache.
    fn _adopt(&self, py: Python<'_>, entries: &Bound<'_, PyAny>) -> PyResult<()> {
        let answer = || self.adopt(entries);
        self.border.cross(py, answer, |twin| {
            twin.call_method1("_adopt", (entries,)).map(drop)
        })
    }

    /// Returns `(hits, misses, evictions, expirations, rejections, size, weight)`.
    fn _counts(&self, py: Python<'_>) -> PyResult<(u64, u64, u64, u64, u64, usize, u64)> {
        let answer = || {
            let store = self.lock();
            let all = store.stats();
            let [hits, misses, evictions] = [all.hits, all.misses, all.evictions];
            let [late, heavy] = [all.expirations, all.rejections];
            let (size, weight) = (store.len(), store.weight());
            Ok((hits, misses, evictions, late, heavy, size, weight))
        };
        self.border
            .cross(py, answer, |twin| take(twin.call_method0("_counts")))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Object> {
        let answer = || {
            let found = self.look(key)?;
            found.ok_or_else(|| PyKeyError::new_err((key.clone().unbind(),)))
        };
        self.border
            .cross(py, answer, |twin| take(twin.get_item(key)))
    }

    fn __setitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        self.set(py, key, value, None, None, None)
    }

    fn __delitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.delete(py, key)? {
            return Ok(());
        }
        Err(PyKeyError::new_err((key.clone().unbind(),)))
    }

    fn __contains__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = || Ok(self.glance(key)?.is_some());
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
    fn _fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
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
        for held in self.held() {
            visit.call(held)?;
        }
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
        self.empty();
    }
}

impl Cache {
    /// What is stored under a key, by whoever answers now.
    #[inline]
    pub(super) fn look_or_none<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Object>> {
        let answer = || self.look(key);
        self.border.cross(py, answer, |twin| {
            let value = twin.call_method1("get", (key, twin))?; // nobody stores the twin itself
            Ok((!value.is(twin)).then(|| value.unbind()))
        })
    }

    fn empty(&self) {
        let mut gone = Gone::default();
        self.lock().clear(&mut gone);
    }
}

fn or_none(py: Python<'_>, default: Given1<'_, '_>) -> Object {
    default.map_or_else(|| py.None(), |default| default.clone().unbind())
}

/// The twin's answer as this side's type.
fn take<'py, R>(answer: PyResult<Bound<'py, PyAny>>) -> PyResult<R>
where
    R: for<'a> FromPyObject<'a, 'py, Error: Into<PyErr>>,
{
    answer?.extract().map_err(Into::into)
}
