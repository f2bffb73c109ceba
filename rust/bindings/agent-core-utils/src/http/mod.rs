//! The HTTP client's native half: `HttpClient`, `AsyncHttpClient`, and what the tests compare.
//!
//! See `agentcore.http.contract` for what they promise. The pure crate does the work; here Python
//! values are read, the interpreter is let go of, and failures become the package's exceptions,
//! which the facade lends (this module never imports the package).

mod aio;
mod client;
mod convert;
mod probe;
mod response;

pub(crate) use aio::AsyncHttpClient;
pub(crate) use client::{HttpClient, HttpStream};
pub(crate) use probe::{HttpCourse, http_join, http_parse_response, http_parse_url};
pub(crate) use response::HttpResponse;
