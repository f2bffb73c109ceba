//! What a use does to the order of the entries, and which of them goes.

use super::queue::{NONE, Slot, push_back, unlink};
use super::store::{Gone, Store};
use super::{Policy, S3Fifo};

/// The first queue: the only one of LRU, the small one of S3-FIFO, the window of LFU.
pub(super) const FIRST: usize = 0;
/// The second queue: the main one of S3-FIFO, the probation of LFU.
const SECOND: usize = 1;
/// The third queue: the protected entries of LFU.
const THIRD: usize = 2;

const S3_CAP: u32 = 3;
const S3_PROMOTE_ABOVE: u32 = 1; // uses in the small queue that earn a place in the main one
const LFU_CAP: u32 = 15;
const LFU_MARGIN: u32 = 1; // more by which a newcomer must have been used

impl<K, V> Store<K, V> {
    /// Notes a use.
    #[inline]
    pub(super) fn touch(&mut self, index: u32) {
        match self.policy {
            Policy::S3Fifo => {
                let slot = &mut self.slots[index as usize];
                slot.set_frequency((slot.frequency() + 1).min(S3_CAP));
            }
            Policy::Lru => {
                if self.queues[FIRST].tail != index {
                    self.requeue(index, FIRST);
                }
            }
            Policy::Lfu | Policy::Auto => self.touch_lfu(index),
        }
    }

    /// Evicts until one more entry of `weight` fits.
    #[inline]
    pub(super) fn make_room(&mut self, weight: u64, gone: &mut Gone<K, V>) {
        while self.is_over(weight) {
            let victim = match self.policy {
                Policy::Lru => self.queues[FIRST].head,
                Policy::S3Fifo => self.s3fifo_victim(),
                Policy::Lfu | Policy::Auto => self.lfu_victim(),
            };
            if victim == NONE {
                return;
            }
            self.remember(victim);
            gone.push(self.take(victim));
            self.stats.evictions += 1;
        }
    }

    #[inline]
    fn is_over(&self, weight: u64) -> bool {
        let len: usize = self.queues.iter().map(|queue| queue.len).sum();
        len >= self.bounds.maxsize
            || (self.bounds.weighted() && self.weight() > self.bounds.maxweight - weight)
    }

    /// The queue and the frequency with which a new entry begins.
    #[inline]
    pub(super) fn entrance(&mut self, tag: u32) -> (usize, u32) {
        match self.policy {
            Policy::Lru => (FIRST, 0),
            Policy::S3Fifo => match self.ghost.recall(tag) {
                Some(_) => (SECOND, 0),
                None => (FIRST, 0),
            },
            Policy::Lfu | Policy::Auto => (FIRST, self.entrance_lfu(tag)),
        }
    }

    #[inline(never)]
    fn entrance_lfu(&mut self, tag: u32) -> u32 {
        let known = self.ghost.recall(tag).map(|note| self.pulse.read(note));
        let ticks = known.map(|known| known.1);
        self.pulse.beat(ticks, false, self.table.len());
        (known.map_or(0, |known| known.0) + 1).min(LFU_CAP)
    }

    /// Moves what a new entry pushed out of the window.
    #[inline]
    pub(super) fn settle(&mut self) {
        if matches!(self.policy, Policy::Lfu | Policy::Auto) {
            while self.is_beyond(FIRST, self.bounds.window(self.pulse.share))
                && self.queues[FIRST].len > 1
            {
                self.requeue(self.queues[FIRST].head, SECOND);
            }
        }
    }

    /// The frequency of an entry by today's measure.
    pub(super) fn aged(&self, slot: &Slot<K, V>) -> u32 {
        self.pulse
            .aged(slot.frequency(), self.pulse.since(slot.stamp()))
    }

    /// Moves a slot to the end of a queue.
    #[inline]
    fn requeue(&mut self, index: u32, to: usize) {
        let weight = self.weight_of(index);
        unlink(&mut self.queues, &mut self.slots, index, weight);
        push_back(&mut self.queues, &mut self.slots, index, to, weight);
    }

    /// Whether a queue holds more than a share.
    fn is_beyond(&self, queue: usize, share: (usize, u64)) -> bool {
        self.queues[queue].len > share.0 || self.queues[queue].weight > share.1
    }

    fn remember(&mut self, victim: u32) {
        let slot = &self.slots[victim as usize];
        match self.policy {
            Policy::S3Fifo if slot.queue() == FIRST => {
                let limit = self.bounds.ghosts.min(self.table.len());
                self.ghost.remember(slot.tag, None, limit);
            }
            Policy::Lfu | Policy::Auto => {
                let ticks = self.pulse.since(slot.stamp());
                let note = self.pulse.note(slot.frequency(), ticks);
                let limit = super::LFU_HISTORY * self.table.len();
                self.ghost.remember(slot.tag, Some(note), limit);
            }
            Policy::S3Fifo | Policy::Lru => {}
        }
    }

    /// Moves entries until the one to evict stands at the head of its queue.
    fn s3fifo_victim(&mut self) -> u32 {
        let S3Fifo { len, weight } = self.bounds.small;
        let [small, main, _] = self.queues;
        if small.len >= len || small.weight >= weight || main.len == 0 {
            while self.queues[FIRST].len > 0 {
                let head = self.queues[FIRST].head;
                let slot = &mut self.slots[head as usize];
                if slot.frequency() <= S3_PROMOTE_ABOVE {
                    return head;
                }
                slot.set_frequency(0);
                self.requeue(head, SECOND);
            }
        }
        loop {
            let head = self.queues[SECOND].head;
            if head == NONE {
                return self.queues[FIRST].head;
            }
            let slot = &mut self.slots[head as usize];
            let frequency = slot.frequency();
            if frequency == 0 {
                return head;
            }
            slot.set_frequency(frequency - 1);
            self.requeue(head, SECOND);
        }
    }

    #[inline(never)]
    fn touch_lfu(&mut self, index: u32) {
        let slot = &self.slots[index as usize];
        let ticks = self.pulse.since(slot.stamp());
        let frequency = self.pulse.aged(slot.frequency(), ticks);
        self.pulse.beat(Some(ticks), true, self.table.len());
        let slot = &mut self.slots[index as usize];
        slot.set_frequency((frequency + 1).min(LFU_CAP));
        slot.set_stamp(self.pulse.stamp());
        if slot.queue() == FIRST {
            self.requeue(index, FIRST);
            return;
        }
        self.requeue(index, THIRD);
        while self.is_beyond(THIRD, self.bounds.protected(self.pulse.share)) {
            self.requeue(self.queues[THIRD].head, SECOND);
        }
    }

    /// The victim of the main queues, or the entry that the window would give up for it.
    #[inline(never)]
    fn lfu_victim(&mut self) -> u32 {
        let candidate = self.queues[FIRST].head;
        let victim = match self.queues[SECOND].head {
            NONE => self.queues[THIRD].head,
            head => head,
        };
        let (window_len, window_weight) = self.bounds.window(self.pulse.share);
        let window = self.queues[FIRST];
        let full = window.len >= window_len || window.weight >= window_weight;
        if victim == NONE || candidate == NONE || !full {
            return if victim == NONE { candidate } else { victim };
        }
        let frequency = |index: u32| self.aged(&self.slots[index as usize]);
        if frequency(candidate) > frequency(victim) + LFU_MARGIN {
            self.requeue(candidate, SECOND);
            return victim;
        }
        candidate
    }
}
