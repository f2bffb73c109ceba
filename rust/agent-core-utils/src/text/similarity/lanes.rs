//! The edit distances of many texts to many: several choices at once, one a vector lane.
//!
//! Choices of about the same length share a table: for each character that occurs, a bit
//! vector a lane. A query then steps through all of them together.

#![expect(
    clippy::inline_always,
    reason = "only inlined code gets the wide vectors"
)]

use crate::text::vectors::{Kernel, wide};
use std::collections::HashMap;

const NARROW: usize = 32; // lanes of 32 bits
const WIDE: usize = 16; // lanes of 64 bits

/// The characters that occur in the choices, as small numbers; 0 is any other.
struct Alphabet {
    ascii: [u32; 128],
    others: HashMap<u32, u32>,
    size: u32,
}

impl Alphabet {
    fn new(texts: &[Vec<u32>]) -> Self {
        let mut made = Self {
            ascii: [0; 128],
            others: HashMap::new(),
            size: 1,
        };
        for &point in texts.iter().flatten() {
            let place = match made.ascii.get_mut(point as usize) {
                Some(place) => place,
                None => made.others.entry(point).or_insert(0),
            };
            if *place == 0 {
                *place = made.size;
                made.size += 1;
            }
        }
        made
    }

    fn number(&self, point: u32) -> u32 {
        match self.ascii.get(point as usize) {
            Some(&number) => number,
            None => self.others.get(&point).copied().unwrap_or(0),
        }
    }
}

struct Group<T, const LANES: usize> {
    members: Vec<usize>, // at most LANES
    lengths: [u32; LANES],
    words: usize,
    table: Vec<[T; LANES]>, // words for each number of the alphabet
}

/// Texts that many others are compared to.
pub(super) struct Choices {
    alphabet: Alphabet,
    width: usize,
    narrow: Vec<Group<u32, NARROW>>,
    wide: Vec<Group<u64, WIDE>>,
}

impl Choices {
    pub(super) fn new(texts: &[Vec<u32>]) -> Self {
        let alphabet = Alphabet::new(texts);
        let size = alphabet.size as usize;
        let (mut short, mut by_words): (Vec<usize>, HashMap<usize, Vec<usize>>) =
            (Vec::new(), HashMap::new());
        for (at, text) in texts.iter().enumerate() {
            match text.len() {
                0..=32 => short.push(at),
                long => by_words.entry(long.div_ceil(64)).or_default().push(at),
            }
        }
        let narrow = short.chunks(NARROW).map(|members| {
            let mut table = vec![[0; NARROW]; size];
            for (lane, &at) in members.iter().enumerate() {
                for (bit, &point) in texts[at].iter().enumerate() {
                    table[alphabet.number(point) as usize][lane] |= 1 << bit;
                }
            }
            Group {
                members: members.to_vec(),
                lengths: lengths(texts, members),
                words: 1,
                table,
            }
        });
        let narrow = narrow.collect();
        let mut wide = Vec::new();
        for (words, all) in by_words {
            for members in all.chunks(WIDE) {
                let mut table = vec![[0; WIDE]; size * words];
                for (lane, &at) in members.iter().enumerate() {
                    for (bit, &point) in texts[at].iter().enumerate() {
                        let row = alphabet.number(point) as usize * words + bit / 64;
                        table[row][lane] |= 1 << (bit % 64);
                    }
                }
                wide.push(Group {
                    members: members.to_vec(),
                    lengths: lengths(texts, members),
                    words,
                    table,
                });
            }
        }
        Self {
            width: texts.len(),
            alphabet,
            narrow,
            wide,
        }
    }

    /// The resemblance of each query to each choice, row by row.
    pub(super) fn ratios(&self, queries: &[Vec<u32>], out: &mut [f32]) {
        let mut numbers = Vec::new();
        let mut columns = Vec::new();
        for (query, row) in queries.iter().zip(out.chunks_exact_mut(self.width)) {
            numbers.clear();
            numbers.extend(query.iter().map(|&point| self.alphabet.number(point)));
            wide(Row {
                choices: self,
                numbers: &numbers,
                columns: &mut columns,
                values: row,
            });
        }
    }
}

type Columns = Vec<([u64; WIDE], [u64; WIDE])>;

struct Row<'a> {
    choices: &'a Choices,
    numbers: &'a [u32],
    columns: &'a mut Columns,
    values: &'a mut [f32],
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for group in &self.choices.narrow {
            let values = short(&group.table, self.numbers, &group.lengths);
            for (&member, value) in group.members.iter().zip(values) {
                self.values[member] = value;
            }
        }
        for group in &self.choices.wide {
            self.columns.clear();
            self.columns
                .resize(group.words, ([u64::MAX; WIDE], [0; WIDE]));
            let values = long(&group.table, self.numbers, self.columns, &group.lengths);
            for (&member, value) in group.members.iter().zip(values) {
                self.values[member] = value;
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "no text has 2^32 characters"
)]
fn lengths<const LANES: usize>(texts: &[Vec<u32>], members: &[usize]) -> [u32; LANES] {
    let mut lengths = [0; LANES];
    for (length, &member) in lengths.iter_mut().zip(members) {
        *length = texts[member].len() as u32;
    }
    lengths
}

/// The ratios of distances, in the order of the arithmetic that `ratio` has.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the result has single precision"
)]
fn ratios<const LANES: usize>(
    distances: &[u32; LANES],
    lengths: &[u32; LANES],
    query: usize,
) -> [f32; LANES] {
    let mut values = [1.0; LANES];
    for lane in 0..LANES {
        let longest = lengths[lane].max(query as u32);
        // Of two empty texts the distance is 0, and so is what it is divided by 1.
        let part = f64::from(distances[lane]) / f64::from(longest.max(1));
        values[lane] = (1.0 - part) as f32;
    }
    values
}

/// The lowest `count` bits, at most all.
#[inline(always)]
const fn below(count: u32) -> u64 {
    if count >= 64 {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "no text has 2^32 characters"
)]
fn short(table: &[[u32; NARROW]], query: &[u32], lengths: &[u32; NARROW]) -> [f32; NARROW] {
    let mut up = [u32::MAX; NARROW];
    let mut down = [0_u32; NARROW];
    for &number in query {
        let equal = &table[number as usize];
        for lane in 0..NARROW {
            let (x, vp, vn) = (equal[lane], up[lane], down[lane]);
            let d0 = ((x & vp).wrapping_add(vp) ^ vp) | x | vn;
            let more = (vn | !(d0 | vp)) << 1 | 1;
            let less = (d0 & vp) << 1;
            up[lane] = less | !(d0 | more);
            down[lane] = more & d0;
        }
    }
    let mut distances = [query.len() as u32; NARROW];
    for lane in 0..NARROW {
        let valid = below(lengths[lane]) as u32;
        distances[lane] += (up[lane] & valid).count_ones();
        distances[lane] -= (down[lane] & valid).count_ones();
    }
    ratios(&distances, lengths, query.len())
}

#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "no text has 2^32 characters"
)]
fn long(
    table: &[[u64; WIDE]],
    query: &[u32],
    columns: &mut [([u64; WIDE], [u64; WIDE])],
    lengths: &[u32; WIDE],
) -> [f32; WIDE] {
    let words = columns.len();
    for &number in query {
        let rows = &table[number as usize * words..][..words];
        let (mut plus, mut minus) = ([1_u64; WIDE], [0_u64; WIDE]);
        for (equal, (up, down)) in rows.iter().zip(columns.iter_mut()) {
            for lane in 0..WIDE {
                let (vp, vn) = (up[lane], down[lane]);
                let x = equal[lane] | minus[lane];
                let d0 = ((x & vp).wrapping_add(vp) ^ vp) | x | vn;
                let more = vn | !(d0 | vp);
                let less = d0 & vp;
                let shifted = more << 1 | plus[lane];
                let lesser = less << 1 | minus[lane];
                plus[lane] = more >> 63;
                minus[lane] = less >> 63;
                up[lane] = lesser | !(d0 | shifted);
                down[lane] = shifted & d0;
            }
        }
    }
    let mut distances = [query.len() as u32; WIDE];
    for (at, (up, down)) in columns.iter().enumerate() {
        for lane in 0..WIDE {
            let valid = below(lengths[lane].saturating_sub(64 * at as u32));
            distances[lane] += (up[lane] & valid).count_ones();
            distances[lane] -= (down[lane] & valid).count_ones();
        }
    }
    ratios(&distances, lengths, query.len())
}
