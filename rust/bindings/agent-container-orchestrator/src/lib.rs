//! The Python module `agent_container_orchestrator`: converts, detaches, calls.
//!
//! Data crosses as what JSON can say: dicts, lists, text, numbers, booleans, None. A refused
//! template raises `ValueError` with one problem a line; a failing engine raises this module's
//! `EngineError(code, message, details as JSON)`.

mod convert;
mod engine;

use std::collections::BTreeMap;

use ::agent_container_orchestrator as component;
use component::{Container, Policy, Project, Variables};
use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use convert::{from_python, node_from_python, to_python};

create_exception!(
    agent_container_orchestrator,
    EngineError,
    PyRuntimeError,
    "The engine could not be reached, refused a request, or a container failed its gate."
);

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn refused(error: component::TemplateError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn policy_from(policy: &Bound<'_, PyAny>) -> PyResult<Policy> {
    Policy::parse(&node_from_python(policy)?).map_err(refused)
}

/// Replace `$NAME` and `${NAME…}` in one text.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // PyO3 hands over what it converted
fn interpolate(text: &str, variables: Variables) -> PyResult<String> {
    component::interpolate(text, &variables).map_err(refused)
}

/// Read, validate and normalize a template.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
fn parse_template<'py>(
    py: Python<'py>,
    text: &str,
    variables: Variables,
    policy: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let policy = policy_from(policy)?;
    let project = py
        .detach(|| component::parse_template(text, &variables, &policy))
        .map_err(refused)?;
    to_python(py, &project)
}

/// Return the engine's create request for a service.
#[pyfunction]
fn container_config<'py>(
    project: &Bound<'py, PyAny>,
    service: &str,
    image_id: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let py = project.py();
    let project: Project = from_python(project)?;
    if !project.services.contains_key(service) {
        return Err(pyo3::exceptions::PyKeyError::new_err(service.to_owned()));
    }
    to_python(
        py,
        &component::container_config(&project, service, image_id),
    )
}

/// Compare a project with the containers that exist.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
fn plan<'py>(
    project: &Bound<'py, PyAny>,
    images: BTreeMap<String, String>,
    containers: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = project.py();
    let project: Project = from_python(project)?;
    let containers: Vec<Container> = from_python(containers)?;
    to_python(py, &component::plan(&project, &images, &containers))
}

/// Validate a sandbox request and write out its defaults.
#[pyfunction]
fn parse_sandbox<'py>(
    request: &Bound<'py, PyAny>,
    policy: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let policy = policy_from(policy)?;
    let sandbox =
        component::parse_sandbox(&node_from_python(request)?, &policy).map_err(refused)?;
    to_python(request.py(), &sandbox)
}

/// The module's contents.
#[pymodule]
fn agent_container_orchestrator(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<engine::Engine>()?;
    module.add("EngineError", module.py().get_type::<EngineError>())?;
    module.add_function(wrap_pyfunction!(interpolate, module)?)?;
    module.add_function(wrap_pyfunction!(parse_template, module)?)?;
    module.add_function(wrap_pyfunction!(container_config, module)?)?;
    module.add_function(wrap_pyfunction!(plan, module)?)?;
    module.add_function(wrap_pyfunction!(parse_sandbox, module)?)
}
