//! Large buffers, kept between batches: the allocator would give their memory back and the
//! kernel would fill it with zeros anew. Each thread has its own; what is too large goes.

use agent_core_utils::text::Found;
use std::cell::RefCell;

const MOST_BYTES: usize = 16 << 20;
const MOST_HITS: usize = 1 << 18; // a lane's; 12 bytes each

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static FOUND: RefCell<Found> = RefCell::default();
}

/// A buffer of bytes, with what it held before.
pub(super) fn bytes() -> Vec<u8> {
    BYTES.take()
}

/// Keeps a buffer for the next batch.
pub(super) fn keep_bytes(buffer: Vec<u8>) {
    if buffer.capacity() <= MOST_BYTES {
        BYTES.set(buffer);
    }
}

/// Room for matches.
pub(super) fn found() -> Found {
    FOUND.take()
}

/// Keeps room for the next batch.
pub(super) fn keep_found(mut found: Found) {
    found.reset(MOST_HITS);
    FOUND.set(found);
}
