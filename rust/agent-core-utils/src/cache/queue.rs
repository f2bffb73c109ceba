//! First-in-first-out queues threaded through the slots of a slab by index.
//!
//! Links are indices, not pointers, so a hit costs no allocation and no reference counting.

/// The index that means "none".
pub(super) const NONE: u32 = u32::MAX;

/// The two neighbors of a slot in its queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) prev: u32,
    pub(super) next: u32,
}

impl Link {
    pub(super) const LOOSE: Self = Self {
        prev: NONE,
        next: NONE,
    };
}

/// A queue: its two ends and its length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    pub(super) head: u32,
    tail: u32,
    pub(super) len: usize,
}

impl Queue {
    pub(super) const EMPTY: Self = Self {
        head: NONE,
        tail: NONE,
        len: 0,
    };

    /// Appends the slot at `index`.
    pub(super) fn push_back(&mut self, links: &mut impl Links, index: u32) {
        *links.link(index) = Link {
            prev: self.tail,
            next: NONE,
        };
        if self.tail == NONE {
            self.head = index;
        } else {
            links.link(self.tail).next = index;
        }
        self.tail = index;
        self.len += 1;
    }

    /// Takes the slot at `index` out, wherever it stands.
    pub(super) fn unlink(&mut self, links: &mut impl Links, index: u32) {
        let Link { prev, next } = *links.link(index);
        if prev == NONE {
            self.head = next;
        } else {
            links.link(prev).next = next;
        }
        if next == NONE {
            self.tail = prev;
        } else {
            links.link(next).prev = prev;
        }
        self.len -= 1;
    }
}

/// Something that holds the link of each slot.
pub(super) trait Links {
    /// The link of the slot at `index`.
    fn link(&mut self, index: u32) -> &mut Link;
}
