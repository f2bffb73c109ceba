//! Large buffers, kept between batches: the allocator would give their memory back and the
//! kernel would fill it with zeros anew. Each thread has its own; what is too large goes.

use agent_core_utils::text::Found;
use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Once;

const MOST_BYTES: usize = 16 << 20;
const KEPT_BYTES: usize = 16 << 20;
const MOST_HITS: usize = 1 << 18; // a lane's; 12 bytes each

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static FOUND: RefCell<Found> = RefCell::default();
}

/// Lets the allocator keep the memory of a batch's strings for the next batch's.
///
/// glibc gives free memory at the heap's end back above a bound of 128 KiB, and raises the
/// bound to twice the size of a large block that is freed. So one such block, never touched,
/// is freed once. Other allocators see an allocation without effect.
fn keep_heap() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(black_box(Vec::<u8>::with_capacity(KEPT_BYTES / 2))));
}

/// A buffer of bytes, with what it held before.
pub(super) fn bytes() -> Vec<u8> {
    keep_heap();
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
    keep_heap();
    FOUND.take()
}

/// Keeps room for the next batch.
pub(super) fn keep_found(mut found: Found) {
    found.reset(MOST_HITS);
    FOUND.set(found);
}
