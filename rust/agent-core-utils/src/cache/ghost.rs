//! The ghost queue of S3-FIFO: the hashes of keys that were evicted lately, without the keys.

use hashbrown::HashMap;
use std::collections::VecDeque;

/// A bounded first-in-first-out set of hashes.
///
/// Each hash carries the number of its latest entry, so taking one out needs no search: its
/// place in the queue goes stale and is skipped later.
#[derive(Debug, Default)]
pub(super) struct Ghost {
    limit: usize,
    next: u64,
    queue: VecDeque<(u64, u64)>,
    latest: HashMap<u64, u64>,
}

impl Ghost {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Adds `hash` as the newest, forgetting the oldest when there are too many.
    pub(super) fn remember(&mut self, hash: u64) {
        if self.limit == 0 {
            return;
        }
        self.latest.insert(hash, self.next);
        self.queue.push_back((hash, self.next));
        self.next += 1;
        while self.latest.len() > self.limit {
            if let Some((old, number)) = self.queue.pop_front()
                && self.latest.get(&old) == Some(&number)
            {
                self.latest.remove(&old);
            }
        }
        // Stale places are at most as many as live ones before they are swept.
        if self.queue.len() > 2 * self.limit + 16 {
            let latest = &self.latest;
            self.queue
                .retain(|(old, number)| latest.get(old) == Some(number));
        }
    }

    /// Takes `hash` out; tells whether it was there.
    pub(super) fn recall(&mut self, hash: u64) -> bool {
        self.latest.remove(&hash).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.latest.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Ghost;

    #[test]
    fn forgets_the_oldest_and_keeps_its_bound() {
        let mut ghost = Ghost::new(2);
        for hash in [1, 2, 3] {
            ghost.remember(hash);
        }
        assert!(!ghost.recall(1));
        assert!(ghost.recall(2) && ghost.recall(3));
        for round in 0..1000 {
            ghost.remember(round % 5);
            ghost.recall((round + 1) % 5);
            assert!(ghost.queue.len() <= 20);
        }
    }

    #[test]
    fn remembering_again_makes_it_the_newest() {
        let mut ghost = Ghost::new(2);
        for hash in [1, 2, 1, 3] {
            ghost.remember(hash);
        }
        assert!(!ghost.recall(2));
        assert!(ghost.recall(1));
    }
}
