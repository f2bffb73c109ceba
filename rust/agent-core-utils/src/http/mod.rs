//! An HTTP client: a strict HTTP/1.1 of our own on httparse, HTTP/2 by h2, TLS by rustls.
//!
//! A request is a state machine ([`Flight`]) that never blocks. Three drivers move it: the calling
//! thread ([`Shared::run`]), a loop over many ([`Reactor::run_all`]), or somebody else's event loop, to which
//! [`Reactor`] lends one descriptor. What to do about an answer or a failure is decided by [`Course`],
//! which does no input or output and has a twin in Python.

mod body;
mod cookies;
mod course;
mod dial;
mod drive;
mod exchange;
mod fault;
mod flight;
mod h2link;
mod head;
mod link;
mod reactor;
mod request;
mod resolve;
mod shared;
mod source;
mod url;

pub use body::Body;
pub use cookies::{Jar, parse_date, retry_after};
pub use course::{Book, Counts, Course, Rules, Step, Wish};
pub use fault::{Fault, Kind, seconds};
pub use flight::{Answer, Flight, Turn};
pub use head::{Framing, Head, Version};
pub use reactor::{Outcome, Reactor};
pub use request::{Fields, Length, checked_field, checked_method};
pub use shared::{Config, Hooks, Order, Origin, Shared, Timeouts};
pub use source::{Pull, Queue, Source};
pub use url::Url;
