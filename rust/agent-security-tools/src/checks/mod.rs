//! The audit checks, one file each. A file here registers itself (see `build.rs`):
//! give it a `CHECK` whose id is the file's name with dashes, and add it to the Python twin.

#![allow(missing_docs)] // each file holds one constant, `CHECK`, that documents itself

include!(concat!(env!("OUT_DIR"), "/checks.rs"));
