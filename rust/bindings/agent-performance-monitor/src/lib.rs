//! The Python module `agent_performance_monitor`: converts, detaches, calls.
//!
//! What the module's items promise is written in the Python package's contract
//! (`agentcore.performance.contract`); its pure-Python twin is the reference. Nothing of that
//! package is imported here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ::agent_performance_monitor as core;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// `(now_micros, {mount point: (block size, blocks, free, available, files, free files)})`
type RecordingParts = (u64, BTreeMap<String, (u64, u64, u64, u64, u64, u64)>);
/// `(text, [(collector, reason)])`
type ScrapeParts = (String, Vec<(&'static str, String)>);

/// The monitor of one host.
#[pyclass(frozen, module = "agent_performance_monitor")]
struct Monitor {
    inner: core::Monitor,
}

#[pymethods]
impl Monitor {
    #[new]
    #[pyo3(signature = (procfs, sysfs, rootfs, textfile_directory=None, recording=None))]
    fn new(
        procfs: PathBuf,
        sysfs: PathBuf,
        rootfs: PathBuf,
        textfile_directory: Option<PathBuf>,
        recording: Option<RecordingParts>,
    ) -> Self {
        let paths = core::Paths {
            procfs,
            sysfs,
            rootfs,
            textfile_directory,
        };
        let inner = match recording {
            None => core::Monitor::new(paths),
            Some((now_micros, capacities)) => {
                let capacities = capacities
                    .into_iter()
                    .map(|(point, figures)| (point, capacity(figures)))
                    .collect();
                let recording = core::Recording {
                    now_micros,
                    capacities,
                };
                core::Monitor::recorded(paths, recording)
            }
        };
        Self { inner }
    }

    /// The collectors' names, in the order of the page.
    fn collector_names(&self) -> Vec<&'static str> {
        self.inner.collector_names().to_vec()
    }

    /// The page and what went wrong on the way.
    #[allow(clippy::needless_pass_by_value)] // PyO3 converts into owned lists
    fn collect(
        &self,
        py: Python<'_>,
        only: Vec<String>,
        exclude: Vec<String>,
    ) -> PyResult<ScrapeParts> {
        let scrape = py
            .detach(|| self.inner.collect_selected(&only, &exclude))
            .map_err(|wrong| PyValueError::new_err(wrong.to_string()))?;
        let failures = scrape.failures.into_iter();
        let failures = failures.map(|one| (one.collector, one.reason)).collect();
        Ok((scrape.text, failures))
    }
}

fn capacity(figures: (u64, u64, u64, u64, u64, u64)) -> core::Capacity {
    let (block_size, blocks, free, available, files, files_free) = figures;
    core::Capacity {
        block_size,
        blocks,
        free,
        available,
        files,
        files_free,
    }
}

/// The machine at one moment.
#[pyfunction]
fn snapshot(py: Python<'_>, interval: f64) -> PyResult<Bound<'_, PyDict>> {
    let interval = Duration::try_from_secs_f64(interval)
        .map_err(|_| PyValueError::new_err("interval must be 0 or more seconds"))?;
    let seen = py
        .detach(|| core::snapshot(interval))
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let networks = PyDict::new(py);
    for (name, network) in seen.networks {
        let one = PyDict::new(py);
        one.set_item("received_bytes", network.received_bytes)?;
        one.set_item("transmitted_bytes", network.transmitted_bytes)?;
        networks.set_item(name, one)?;
    }
    let out = PyDict::new(py);
    out.set_item("hostname", seen.hostname)?;
    out.set_item("kernel", seen.kernel)?;
    out.set_item("uptime_seconds", seen.uptime_seconds)?;
    out.set_item("boot_time_seconds", seen.boot_time_seconds)?;
    out.set_item("cpu_count", seen.cpu_count)?;
    out.set_item("cpu_percent", seen.cpu_percent)?;
    out.set_item("load", seen.load)?;
    out.set_item("memory_total_bytes", seen.memory_total_bytes)?;
    out.set_item("memory_available_bytes", seen.memory_available_bytes)?;
    out.set_item("memory_used_bytes", seen.memory_used_bytes)?;
    out.set_item("swap_total_bytes", seen.swap_total_bytes)?;
    out.set_item("swap_free_bytes", seen.swap_free_bytes)?;
    out.set_item("networks", networks)?;
    Ok(out)
}

/// The statistics of measured times.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // PyO3 converts into an owned list
fn statistics(py: Python<'_>, samples: Vec<f64>) -> PyResult<Bound<'_, PyDict>> {
    let figures =
        core::statistics(&samples).map_err(|wrong| PyValueError::new_err(wrong.to_string()))?;
    to_dict(py, figures)
}

/// Measures a callable.
#[pyfunction]
fn benchmark<'py>(
    call: &Bound<'py, PyAny>,
    rounds: usize,
    warmup: usize,
    inner: u32,
) -> PyResult<Bound<'py, PyDict>> {
    let figures = core::benchmark(rounds, warmup, inner, || {
        call.call0().map(drop).map_err(Stop::Raised)
    });
    match figures {
        Ok(figures) => to_dict(call.py(), figures),
        Err(Stop::Raised(error)) => Err(error),
        Err(Stop::Wrong(wrong)) => Err(PyValueError::new_err(wrong.to_string())),
    }
}

/// Why a measurement ended early.
enum Stop {
    Raised(PyErr),
    Wrong(core::BenchmarkError),
}

impl From<core::BenchmarkError> for Stop {
    fn from(wrong: core::BenchmarkError) -> Self {
        Self::Wrong(wrong)
    }
}

fn to_dict(py: Python<'_>, figures: core::Statistics) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("rounds", figures.rounds)?;
    out.set_item("median", figures.median)?;
    out.set_item("p95", figures.p95)?;
    out.set_item("mad", figures.mad)?;
    out.set_item("min", figures.min)?;
    out.set_item("max", figures.max)?;
    out.set_item("mean", figures.mean)?;
    Ok(out)
}

/// The native half of `agentcore.performance`.
#[pymodule]
mod agent_performance_monitor {
    #[pymodule_export]
    use super::{Monitor, benchmark, snapshot, statistics};

    use pyo3::prelude::*;

    /// Panics with `message`, on purpose: lets the tests show that a panic stops at the border.
    #[pyfunction]
    fn _panic(message: &str) {
        panic!("{message}");
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
