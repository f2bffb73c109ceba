//! The Python module `agent_core_utils`: converts, detaches, calls.
//!
//! What the module's items promise is written in the contracts of the Python package
//! (`agentcore.cache.contract`, `agentcore.http.contract`, `agentcore.text.contract`); its pure-Python twins are the
//! reference. Nothing of that package is imported here.

mod border;
mod cache;
mod http;
mod text;

use pyo3::prelude::*;

/// The native half of `agentcore.cache`, `agentcore.http` and `agentcore.text`.
#[pymodule]
mod agent_core_utils {
    #[pymodule_export]
    use super::cache::Cache;
    #[pymodule_export]
    use super::http::{
        AsyncHttpClient, HttpClient, HttpCourse, HttpResponse, HttpStream, http_join,
        http_parse_response, http_parse_url,
    };
    #[pymodule_export]
    use super::text::{Matcher, normalize_many, redact_many};

    use pyo3::prelude::*;

    /// Panics with `message`, on purpose: lets the tests show that a panic stops at the border.
    #[pyfunction]
    fn _panic(message: &str) {
        panic!("{message}");
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add(
            "REDACT_PATTERNS",
            ::agent_core_utils::text::REDACT_PATTERNS.as_slice(),
        )
    }
}
