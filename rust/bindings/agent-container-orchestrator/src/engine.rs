//! The class `Engine`: each call runs to its end on a small runtime, with Python detached.

use std::future::Future;
use std::time::Duration;

use ::agent_container_orchestrator as component;
use component::{Plan, Project, check_project_name, parse_sandbox};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::convert::{from_python, node_from_python, to_python};
use crate::{EngineError, policy_from, refused};

/// How often a waiting call looks for Ctrl-C.
const SIGNAL_POLL: Duration = Duration::from_millis(200);
/// How long an interrupted call may take to remove its sandbox.
const CLEANUP: Duration = Duration::from_secs(10);

/// One engine and one state directory.
#[pyclass(frozen)]
pub struct Engine {
    engine: component::Engine,
    runtime: Runtime,
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn failed(error: component::EngineError) -> PyErr {
    EngineError::new_err((
        error.code.as_str(),
        error.message,
        error.details.to_string(),
    ))
}

/// The exception of a signal that came meanwhile.
#[allow(clippy::redundant_closure_for_method_calls)] // the bare method's lifetime is too narrow
fn interrupted() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}

async fn until_signal<T>(
    future: impl Future<Output = Result<T, component::EngineError>>,
) -> PyResult<T> {
    let mut future = Box::pin(future);
    loop {
        tokio::select! {
            result = &mut future => return result.map_err(failed),
            () = tokio::time::sleep(SIGNAL_POLL) => interrupted()?,
        }
    }
}

impl Engine {
    /// Run a future to its end; a signal's exception (Ctrl-C) ends it early.
    fn wait<T: Send>(
        &self,
        py: Python<'_>,
        future: impl Future<Output = Result<T, component::EngineError>> + Send,
    ) -> PyResult<T> {
        py.detach(|| {
            let result = self.runtime.block_on(until_signal(future));
            if result.is_err() {
                // A sandbox whose caller was interrupted is on its way out: see it off.
                let _ = self
                    .runtime
                    .block_on(async { tokio::time::timeout(CLEANUP, self.engine.settled()).await });
            }
            result
        })
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(docker: &str, state_dir: &str, policy: &Bound<'_, PyAny>) -> PyResult<Self> {
        let engine =
            component::Engine::new(docker, state_dir, policy_from(policy)?).map_err(refused)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("orchestrator")
            .enable_all()
            .build()
            .map_err(|error| PyRuntimeError::new_err(format!("no runtime: {error}")))?;
        Ok(Self { engine, runtime })
    }

    /// Ask the engine who it is.
    fn ping<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.wait(py, self.engine.ping())?)
    }

    /// Say what `apply` would do.
    fn plan<'py>(&self, project: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, project) = (project.py(), from_python::<Project>(project)?);
        to_python(py, &self.wait(py, self.engine.plan(&project))?)
    }

    /// Bring the engine to the project, or leave it as it was.
    fn apply<'py>(&self, project: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, project) = (project.py(), from_python::<Project>(project)?);
        check_project_name(&project.name).map_err(refused)?;
        let done: Plan = self.wait(py, self.engine.apply(&project))?;
        to_python(py, &done)
    }

    /// Describe the project's containers.
    fn status<'py>(&self, py: Python<'py>, project: &str) -> PyResult<Bound<'py, PyAny>> {
        check_project_name(project).map_err(refused)?;
        to_python(py, &self.wait(py, self.engine.status(project))?)
    }

    /// Apply the specification before the current one.
    fn rollback<'py>(&self, py: Python<'py>, project: &str) -> PyResult<Bound<'py, PyAny>> {
        check_project_name(project).map_err(refused)?;
        to_python(py, &self.wait(py, self.engine.rollback(project))?)
    }

    /// Remove containers and networks, and volumes if asked.
    #[pyo3(signature = (project, volumes = false))]
    fn remove<'py>(
        &self,
        py: Python<'py>,
        project: &str,
        volumes: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        check_project_name(project).map_err(refused)?;
        to_python(py, &self.wait(py, self.engine.remove(project, volumes))?)
    }

    /// Run one throw-away container.
    fn sandbox<'py>(&self, request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let request_node = node_from_python(request)?;
        let sandbox = parse_sandbox(&request_node, self.engine.policy()).map_err(refused)?;
        let py = request.py();
        to_python(py, &self.wait(py, self.engine.sandbox(&sandbox))?)
    }

    /// Remove sandboxes whose owner died; how many.
    fn sweep(&self, py: Python<'_>) -> PyResult<usize> {
        self.wait(py, self.engine.sweep())
    }
}
