//! The Python module `agent_core_utils`: converts, detaches, calls.
//!
//! What the module's items promise is written in the contracts of the Python package
//! (`agentcore.cache.contract` and those of `http`, `queue` and `text`); its pure-Python twins are the
//! reference. Nothing of that package is imported here.

mod border;
mod cache;
mod http;
mod queue;
mod text;

use pyo3::prelude::*;

/// The native half of `agentcore.cache`, `http`, `queue` and `text`.
#[pymodule]
mod agent_core_utils {
    #[pymodule_export]
    use super::cache::{Cache, Cached};
    #[pymodule_export]
    use super::http::{
        AsyncHttpClient, HttpClient, HttpCourse, HttpResponse, HttpStream, http_join,
        http_parse_response, http_parse_url,
    };
    #[pymodule_export]
    use super::queue::{Cron, Job, Queue};
    #[pymodule_export]
    use super::text::{Expression, Matcher, Plan, Text};

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
