//! Carries plain data over the border as JSON, by Python's own `json` module.

use ::agent_container_orchestrator::Node;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn dumps(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let options = PyDict::new(value.py());
    options.set_item("allow_nan", false)?;
    value
        .py()
        .import("json")?
        .call_method("dumps", (value,), Some(&options))?
        .extract()
}

/// Convert a Rust value to dicts, lists and scalars.
pub fn to_python<'py, T: Serialize>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).map_err(|e| PyValueError::new_err(e.to_string()))?;
    py.import("json")?.call_method1("loads", (text,))
}

/// Convert dicts, lists and scalars to a Rust type.
pub fn from_python<T: DeserializeOwned>(value: &Bound<'_, PyAny>) -> PyResult<T> {
    serde_json::from_str(&dumps(value)?).map_err(|e| PyValueError::new_err(e.to_string()))
}

/// Convert dicts, lists and scalars to a node, keys in their order.
pub fn node_from_python(value: &Bound<'_, PyAny>) -> PyResult<Node> {
    Node::from_json(&dumps(value)?).map_err(|e| PyValueError::new_err(e.to_string()))
}
