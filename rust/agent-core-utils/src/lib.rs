//! The hot paths of `AGENTCore` that need no Python: bounded caches, batch string work,
//! an HTTP client.
//!
//! Everything here is pure: no global state, no clock but the one it is given, no thread of
//! its own. Each part has a twin in pure Python which is the reference; where the two could
//! drift apart (Unicode tables, regular expressions, eviction order), the item says how it is
//! prevented.
//!
//! ```
//! use agent_core_utils::cache::{Cache, Policy};
//!
//! let mut cache = Cache::new(2, Policy::Lru, None)?;
//! cache.set("a", 1, None, 0.0)?;
//! cache.set("b", 2, None, 0.0)?;
//! assert_eq!(cache.get(&"a", 0.0), Some(&1));
//! cache.set("c", 3, None, 0.0)?; // "b" was used least recently
//! assert_eq!(cache.get(&"b", 0.0), None);
//! # Ok::<(), agent_core_utils::Error>(())
//! ```

pub mod cache;
mod error;
pub mod http;
pub mod queue;
pub mod text;

pub use error::Error;
