//! The edit distance of one text to many: Myers' bit vectors in Hyyrö's form (2003), with
//! the query's table made once.

use std::collections::HashMap;

/// A text that others are compared to.
pub(super) struct Query {
    length: usize,
    words: usize,
    ascii: Vec<u64>,
    others: HashMap<u32, Vec<u64>>,
    absent: Vec<u64>,
}

impl Query {
    pub(super) fn new(query: &[u32]) -> Self {
        let words = query.len().div_ceil(64).max(1);
        let mut ascii = vec![0; 128 * words];
        let mut others: HashMap<u32, Vec<u64>> = HashMap::new();
        for (at, &point) in query.iter().enumerate() {
            let row = match usize::try_from(point) {
                Ok(point @ 0..128) => &mut ascii[point * words..][..words],
                _ => others.entry(point).or_insert_with(|| vec![0; words]),
            };
            row[at / 64] |= 1 << (at % 64);
        }
        Self {
            length: query.len(),
            words,
            ascii,
            others,
            absent: vec![0; words],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    fn row(&self, point: u32) -> &[u64] {
        match usize::try_from(point) {
            Ok(point @ 0..128) => &self.ascii[point * self.words..][..self.words],
            _ => self.others.get(&point).unwrap_or(&self.absent),
        }
    }

    /// The edit distance to `text`.
    pub(super) fn distance(&self, text: &[u32]) -> usize {
        if self.length == 0 {
            return text.len();
        }
        let mut columns = vec![(u64::MAX, 0_u64); self.words];
        for &point in text {
            let (mut plus, mut minus) = (1, 0);
            for (&equal, (up, down)) in self.row(point).iter().zip(&mut columns) {
                let x = equal | minus;
                let d0 = ((x & *up).wrapping_add(*up) ^ *up) | x | *down;
                let mut more = *down | !(d0 | *up);
                let mut less = d0 & *up;
                let (plus_out, minus_out) = (more >> 63, less >> 63);
                more = more << 1 | plus;
                less = less << 1 | minus;
                *up = less | !(d0 | more);
                *down = more & d0;
                (plus, minus) = (plus_out, minus_out);
            }
        }
        // The last column's steps, from the top: row 0 holds the text's length.
        let mut distance = text.len();
        for (at, &(up, down)) in columns.iter().enumerate() {
            let rest = self.length - at * 64;
            let valid = if rest >= 64 {
                u64::MAX
            } else {
                (1 << rest) - 1
            };
            distance += (up & valid).count_ones() as usize;
            distance -= (down & valid).count_ones() as usize;
        }
        distance
    }
}

/// The length of the longest common subsequence (Hyyrö 2004).
pub(super) fn common(left: &[u32], right: &[u32]) -> usize {
    let query = Query::new(left);
    let mut rows = vec![u64::MAX; query.words];
    for &point in right {
        let mut carry = false;
        for (&equal, row) in query.row(point).iter().zip(&mut rows) {
            let hit = *row & equal;
            let (sum, over) = row.overflowing_add(hit);
            let (sum, more) = sum.overflowing_add(u64::from(carry));
            carry = over || more;
            *row = sum | (*row - hit);
        }
    }
    let mut found = 0;
    for (at, row) in rows.iter().enumerate() {
        let rest = left.len() - (at * 64).min(left.len());
        let valid = if rest >= 64 {
            u64::MAX
        } else {
            (1 << rest) - 1
        };
        found += (!row & valid).count_ones() as usize;
    }
    found
}
