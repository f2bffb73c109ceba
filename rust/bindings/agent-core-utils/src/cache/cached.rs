//! `Cached`: a function behind a cache, as `functools.lru_cache` makes one, with a native hit.

use super::{Cache, Object};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString, PyTuple};

/// Calls go to the cache; what it lacks, `miss(key, args, kwargs)` brings.
///
/// The key is the only argument where that is a `str` or an `int`; else the tuple of the
/// arguments, with `marker` and the named ones behind it in their order. `prefix`, if given,
/// comes first in the tuple: it tells functions apart that share a cache.
#[pyclass(frozen, dict, weakref, module = "agent_core_utils")]
pub(crate) struct Cached {
    cache: Py<Cache>,
    miss: Object,
    marker: Object,
    prefix: Option<Object>,
}

#[pymethods]
impl Cached {
    #[new]
    #[pyo3(signature = (cache, miss, marker, prefix=None))]
    fn new(cache: Py<Cache>, miss: Object, marker: Object, prefix: Option<Object>) -> Self {
        Self {
            cache,
            miss,
            marker,
            prefix,
        }
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let key = self.key_of(args, kwargs)?;
        match self.cache.get().look_or_none(args.py(), &key)? {
            Some(value) => Ok(value.into_bound(args.py())),
            None => self.miss.bind(args.py()).call1((key, args, kwargs)),
        }
    }

    /// The key that a call with these arguments has.
    #[pyo3(signature = (*args, **kwargs))]
    fn key<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.key_of(args, kwargs)
    }

    /// Makes it a method where it stands in a class.
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: Option<&Bound<'py, PyAny>>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(instance) = instance else {
            return Ok(slf.clone().into_any());
        };
        let method = slf.py().import("types")?.getattr("MethodType")?;
        method.call1((slf, instance))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cache)?;
        visit.call(&self.miss)?;
        visit.call(&self.marker)?;
        visit.call(&self.prefix)
    }
}

impl Cached {
    #[inline]
    fn key_of<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let named = kwargs.filter(|named| !named.is_empty());
        if self.prefix.is_none() && named.is_none() {
            if args.len() == 1 {
                let only = args.get_borrowed_item(0)?;
                if only.is_exact_instance_of::<PyString>() || only.is_exact_instance_of::<PyInt>() {
                    return Ok(only.to_owned());
                }
            }
            return Ok(args.clone().into_any());
        }
        let py = args.py();
        let parts = PyList::empty(py);
        if let Some(prefix) = &self.prefix {
            parts.append(prefix)?;
        }
        for argument in args.iter_borrowed() {
            parts.append(argument)?;
        }
        if let Some(named) = named {
            parts.append(&self.marker)?;
            for (name, value) in named.iter() {
                parts.append(name)?;
                parts.append(value)?;
            }
        }
        Ok(parts.to_tuple().into_any())
    }
}
