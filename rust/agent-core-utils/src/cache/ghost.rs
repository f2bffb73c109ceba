//! The ghost queue: the tags of keys that were evicted lately, without the keys.

use super::table::Table;
use std::collections::VecDeque;

const NUMBERS: u32 = (1 << 31) - 1; // numbers are counted modulo this plus one

/// A bounded first-in-first-out memory of tags, each with a note.
///
/// A tag that is recalled leaves its place behind: what is remembered is what was among the
/// latest `limit` tags told.
#[derive(Debug)]
pub(super) struct Ghost {
    ring: VecDeque<u32>,
    notes: VecDeque<u16>, // empty as long as nobody leaves one
    first: u32,
    table: Table,
}

impl Ghost {
    pub(super) fn new() -> Self {
        Self {
            ring: VecDeque::new(),
            notes: VecDeque::new(),
            first: 0,
            table: Table::new(),
        }
    }

    /// Adds `tag` as the newest and forgets what is beyond `limit`.
    #[inline]
    pub(super) fn remember(&mut self, tag: u32, note: Option<u16>, limit: usize) {
        if limit == 0 {
            return;
        }
        if let Some(older) = self.table.find(tag, |_| true) {
            self.table.remove(tag, older);
        }
        while self.ring.len() >= limit {
            if let Some(oldest) = self.ring.pop_front() {
                self.table.remove(oldest, self.first);
                self.notes.pop_front();
                self.first = (self.first + 1) & NUMBERS;
            }
        }
        let number = (self.first + place(self.ring.len())) & NUMBERS;
        self.ring.push_back(tag);
        if let Some(note) = note {
            self.notes.push_back(note);
        }
        self.table.insert(tag, number);
    }

    /// Takes `tag` out; its note (0 without one), if it was there.
    #[inline]
    pub(super) fn recall(&mut self, tag: u32) -> Option<u16> {
        if self.table.len() == 0 {
            return None;
        }
        let number = self.table.find(tag, |_| true)?;
        self.table.remove(tag, number);
        let at = (number.wrapping_sub(self.first) & NUMBERS) as usize;
        Some(self.notes.get(at).copied().unwrap_or(0))
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }
}

fn place(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NUMBERS)
}

#[cfg(test)]
mod tests {
    use super::Ghost;

    #[test]
    fn forgets_the_oldest_and_keeps_its_bound() {
        let mut ghost = Ghost::new();
        for tag in [1, 2, 3] {
            ghost.remember(tag, None, 2);
        }
        assert_eq!(ghost.recall(1), None);
        assert!(ghost.recall(2).is_some() && ghost.recall(3).is_some());
        for round in 0..1000 {
            ghost.remember(round % 5, None, 2);
            ghost.recall((round + 1) % 5);
            assert!(ghost.ring.len() <= 2 && ghost.table.len() <= 2);
        }
    }

    #[test]
    fn remembering_again_makes_it_the_newest() {
        let mut ghost = Ghost::new();
        for (tag, note) in [(1, 5), (2, 6), (1, 7), (3, 8)] {
            ghost.remember(tag, Some(note), 2);
        }
        assert_eq!(ghost.recall(2), None);
        assert_eq!(ghost.recall(1), Some(7));
    }

    #[test]
    fn a_lower_limit_forgets_at_once() {
        let mut ghost = Ghost::new();
        for tag in 0..10 {
            ghost.remember(tag, None, 100);
        }
        ghost.remember(10, None, 3);
        assert_eq!(ghost.recall(7), None);
        assert!(ghost.recall(8).is_some());
    }
}
