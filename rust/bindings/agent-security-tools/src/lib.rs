//! Python binding of `agent-security-tools`: converts, detaches from the interpreter, calls.
//!
//! Bad input raises `ValueError`, an address out of scope `PermissionError`, a scanner that cannot
//! start `OSError`. Reports are JSON text.
#![allow(
    clippy::needless_pass_by_value,
    reason = "extracted arguments are owned"
)]

use std::path::PathBuf;
use std::time::Duration;

use agent_security_tools::audit::{self, Options, Report};
use agent_security_tools::host::Host;
use agent_security_tools::scan;
use agent_security_tools::scope::Scope;
use agent_security_tools::{Error, VERSION};
use pyo3::exceptions::{PyOSError, PyPermissionError, PyValueError};
use pyo3::prelude::*;

fn raise(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::Input { .. } => PyValueError::new_err(text),
        Error::OutOfScope { .. } => PyPermissionError::new_err(text),
        Error::Engine(_) => PyOSError::new_err(text),
    }
}

/// All checks as JSON, by id.
#[pyfunction]
fn catalog() -> String {
    audit::catalog()
}

/// Audits the host whose `/` and `/proc` are mounted at these places; the report as JSON.
#[pyfunction]
#[pyo3(signature = (rootfs, procfs, host, at, waivers=None, previous=None))]
fn audit_host(
    py: Python<'_>,
    rootfs: PathBuf,
    procfs: PathBuf,
    host: String,
    at: u64,
    waivers: Option<String>,
    previous: Option<String>,
) -> PyResult<String> {
    py.detach(|| {
        let options = Options {
            host: &host,
            at,
            waivers: waivers.as_deref(),
            previous: previous.as_deref(),
        };
        audit::audit(&Host::new(rootfs, procfs), options).map(|report| report.to_json())
    })
    .map_err(raise)
}

/// An audit report as SARIF 2.1.0.
#[pyfunction]
fn sarif(py: Python<'_>, report: String) -> PyResult<String> {
    py.detach(|| {
        let report: Report = serde_json::from_str(&report)
            .map_err(|_| Error::input("report", "not an audit report", "schema 1"))?;
        Ok(audit::sarif::sarif(&report))
    })
    .map_err(raise)
}

/// The number of waivers in a waivers file's text.
#[pyfunction]
fn check_waivers(text: String) -> PyResult<usize> {
    audit::waiver::parse(&text)
        .map(|waivers| waivers.len())
        .map_err(raise)
}

/// Name and address of the hosts in a scope file's text.
#[pyfunction]
fn scope_hosts(scope: String) -> PyResult<Vec<(String, String)>> {
    let scope = Scope::parse(&scope).map_err(raise)?;
    Ok(scope
        .hosts
        .into_iter()
        .map(|host| (host.name, host.address.to_string()))
        .collect())
}

/// Scans targets of the scope (default: all its hosts) on ports (default: its ports).
/// Times are in seconds; the report as JSON.
#[pyfunction]
#[pyo3(signature = (scope, targets=None, ports=None, *, timeout=1.0, tries=2, deadline=120.0, max_sockets=1024, at=0))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
fn scan_ports(
    py: Python<'_>,
    scope: String,
    targets: Option<Vec<String>>,
    ports: Option<Vec<u16>>,
    timeout: f64,
    tries: u32,
    deadline: f64,
    max_sockets: usize,
    at: u64,
) -> PyResult<String> {
    let seconds = |name: &str, value: f64| {
        Duration::try_from_secs_f64(value).map_err(|_| {
            raise(Error::input(
                format!("scan: {name}"),
                "not a time",
                "a number of seconds",
            ))
        })
    };
    let timeout = seconds("timeout", timeout)?;
    let deadline = seconds("deadline", deadline)?;
    let options = scan::Options {
        timeout,
        tries,
        deadline,
        max_sockets,
    };
    py.detach(|| {
        let scope = Scope::parse(&scope)?;
        let done = scan::scan(&scope, targets.as_deref(), ports.as_deref(), options)?;
        let report = scan::report(&done, at);
        serde_json::to_string(&report).map_err(|error| Error::Engine(error.to_string()))
    })
    .map_err(raise)
}

#[pymodule]
#[pyo3(name = "agent_security_tools")]
fn binding(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", VERSION)?;
    module.add_function(wrap_pyfunction!(catalog, module)?)?;
    module.add_function(wrap_pyfunction!(audit_host, module)?)?;
    module.add_function(wrap_pyfunction!(sarif, module)?)?;
    module.add_function(wrap_pyfunction!(check_waivers, module)?)?;
    module.add_function(wrap_pyfunction!(scope_hosts, module)?)?;
    module.add_function(wrap_pyfunction!(scan_ports, module)?)?;
    Ok(())
}
