//! From a key's tag to a number: open addressing with linear probing, one word a cell.
//!
//! A tag is 32 well mixed bits of a key's hash. A cell holds the tag and the number together, so
//! a search that fails touches nothing else, and growing needs no key.

const EMPTY: u64 = 0;
const FIRST_BITS: u32 = 3;

/// Cells that are found by tag; several may share one.
#[derive(Debug)]
pub(super) struct Table {
    cells: Vec<u64>,
    shift: u32,
    len: usize,
}

fn packed(tag: u32, number: u32) -> u64 {
    (u64::from(tag) << 32) | u64::from(number + 1) // 0 is the empty cell
}

fn tag_of(cell: u64) -> u32 {
    (cell >> 32) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half of a word")]
fn number_of(cell: u64) -> u32 {
    (cell as u32).wrapping_sub(1)
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            cells: vec![EMPTY; 1 << FIRST_BITS],
            shift: 32 - FIRST_BITS,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The first number stored under `tag` that `wanted` accepts.
    #[inline]
    pub(super) fn find(&self, tag: u32, mut wanted: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.cells.len() - 1;
        let mut at = (tag >> self.shift) as usize;
        loop {
            let cell = self.cells[at & mask];
            if cell == EMPTY {
                return None;
            }
            if tag_of(cell) == tag && wanted(number_of(cell)) {
                return Some(number_of(cell));
            }
            at += 1;
        }
    }

    /// Adds a pair that is not in.
    pub(super) fn insert(&mut self, tag: u32, number: u32) {
        if (self.len + 1) * 4 > self.cells.len() * 3 {
            self.grow();
        }
        self.place(packed(tag, number));
        self.len += 1;
    }

    /// Takes a pair out; tells whether it was in.
    pub(super) fn remove(&mut self, tag: u32, number: u32) -> bool {
        let mask = self.cells.len() - 1;
        let wanted = packed(tag, number);
        let mut hole = (tag >> self.shift) as usize;
        loop {
            match self.cells[hole] {
                EMPTY => return false,
                cell if cell == wanted => break,
                _ => hole = (hole + 1) & mask,
            }
        }
        // Close the gap: what stands behind it may move up as far as its own first cell.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let cell = self.cells[at];
            if cell == EMPTY {
                break;
            }
            let home = (tag_of(cell) >> self.shift) as usize;
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.cells[hole] = cell;
                hole = at;
            }
        }
        self.cells[hole] = EMPTY;
        self.len -= 1;
        true
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    fn place(&mut self, cell: u64) {
        let mask = self.cells.len() - 1;
        let mut at = (tag_of(cell) >> self.shift) as usize;
        while self.cells[at] != EMPTY {
            at = (at + 1) & mask;
        }
        self.cells[at] = cell;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![EMPTY; self.cells.len() * 2];
        let old = std::mem::replace(&mut self.cells, larger);
        self.shift -= 1;
        for cell in old.into_iter().filter(|&cell| cell != EMPTY) {
            self.place(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Table;
    use std::collections::BTreeSet;

    #[test]
    fn equals_a_set_of_pairs() {
        let mut table = Table::new();
        let mut model = BTreeSet::new();
        let mut seed = 7_u64;
        for _ in 0..50_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = u32::try_from((seed >> 33) % 400).unwrap();
            let tag = (number % 97).wrapping_mul(0x9E37_79B9) | 0xF000_0000; // all at the end
            if seed >> 63 == 0 {
                if model.insert((tag, number)) {
                    table.insert(tag, number);
                }
            } else {
                assert_eq!(table.remove(tag, number), model.remove(&(tag, number)));
            }
            assert_eq!(table.len(), model.len());
            let found = table.find(tag, |other| other == number);
            assert_eq!(found.is_some(), model.contains(&(tag, number)));
        }
    }
}
