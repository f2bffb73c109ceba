//! Slots, and the first-in-first-out queues that are threaded through them by index.
//!
//! Links are indices, not pointers, so a hit costs no allocation and no reference counting. With
//! a key and a value of one word each, a slot is 32 bytes.

/// The index that means "none".
pub(super) const NONE: u32 = u32::MAX;

const FREQUENCY: u32 = 0xF;
const QUEUE_SHIFT: u32 = 4;
const QUEUE: u32 = 0x3 << QUEUE_SHIFT;
const LABELED: u32 = 1 << 6;
const STAMP_SHIFT: u32 = 8;

/// The place of an entry; empty ones are chained by `next`.
#[derive(Debug)]
pub(super) struct Slot<K, V> {
    pub(super) entry: Option<(K, V)>,
    prev: u32,
    pub(super) next: u32,
    pub(super) tag: u32,
    meta: u32, // frequency, queue, labeled, stamp of the last use
}

impl<K, V> Slot<K, V> {
    pub(super) fn new(tag: u32, key: K, value: V) -> Self {
        Self {
            entry: Some((key, value)),
            prev: NONE,
            next: NONE,
            tag,
            meta: 0,
        }
    }

    #[inline]
    pub(super) fn frequency(&self) -> u32 {
        self.meta & FREQUENCY
    }

    #[inline]
    pub(super) fn set_frequency(&mut self, frequency: u32) {
        self.meta = (self.meta & !FREQUENCY) | frequency;
    }

    #[inline]
    pub(super) fn queue(&self) -> usize {
        ((self.meta & QUEUE) >> QUEUE_SHIFT) as usize
    }

    fn set_queue(&mut self, queue: usize) {
        let bits = u32::try_from(queue).unwrap_or(0) << QUEUE_SHIFT;
        self.meta = (self.meta & !QUEUE) | bits;
    }

    pub(super) fn labeled(&self) -> bool {
        self.meta & LABELED != 0
    }

    pub(super) fn set_labeled(&mut self, labeled: bool) {
        self.meta = (self.meta & !LABELED) | if labeled { LABELED } else { 0 };
    }

    pub(super) fn stamp(&self) -> u32 {
        self.meta >> STAMP_SHIFT
    }

    pub(super) fn set_stamp(&mut self, stamp: u32) {
        self.meta = (self.meta & ((1 << STAMP_SHIFT) - 1)) | (stamp << STAMP_SHIFT);
    }
}

/// One queue: its two ends, its length, and what its entries weigh where weights count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) len: usize,
    pub(super) weight: u64,
}

impl Queue {
    pub(super) const EMPTY: Self = Self {
        head: NONE,
        tail: NONE,
        len: 0,
        weight: 0,
    };
}

/// Appends the slot at `index` to the queue numbered `to`.
#[inline]
pub(super) fn push_back<K, V>(
    queues: &mut [Queue; 3],
    slots: &mut [Slot<K, V>],
    index: u32,
    to: usize,
    weight: u64,
) {
    let queue = &mut queues[to];
    let slot = &mut slots[index as usize];
    slot.set_queue(to);
    slot.prev = queue.tail;
    slot.next = NONE;
    if queue.tail == NONE {
        queue.head = index;
    } else {
        slots[queue.tail as usize].next = index;
    }
    queue.tail = index;
    queue.len += 1;
    queue.weight += weight;
}

/// Takes the slot at `index` out of its queue, wherever it stands.
#[inline]
pub(super) fn unlink<K, V>(
    queues: &mut [Queue; 3],
    slots: &mut [Slot<K, V>],
    index: u32,
    weight: u64,
) {
    let slot = &slots[index as usize];
    let (prev, next, from) = (slot.prev, slot.next, slot.queue());
    let queue = &mut queues[from.min(2)];
    if prev == NONE {
        queue.head = next;
    } else {
        slots[prev as usize].next = next;
    }
    if next == NONE {
        queue.tail = prev;
    } else {
        slots[next as usize].prev = prev;
    }
    queue.len -= 1;
    queue.weight -= weight;
}
