//! `MinHash` signatures over word shingles, and pairs of near-duplicates by banding (LSH).

#![expect(
    clippy::inline_always,
    reason = "only inlined code gets the wide vectors"
)]

use super::hashes::{fast64, mix};
use super::vectors::{Kernel, wide};
use super::words::words;
use std::collections::HashMap;

/// The permutations of a `MinHash`: `(a * hash + b) mod 2**32` each, from a seed.
#[derive(Debug, Clone)]
pub struct MinHash {
    multipliers: Vec<u32>,
    offsets: Vec<u32>,
    shingle: usize,
}

/// Two texts that resemble each other: their indices and the estimated resemblance.
pub type Pair = (usize, usize, f64);

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const fn upper(value: u64) -> u32 {
    (value >> 32) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn lower(value: u64) -> u32 {
    value as u32
}

impl MinHash {
    /// `permutations` values a signature, over shingles of `shingle` words; both above zero.
    pub fn new(permutations: usize, shingle: usize, seed: u64) -> Self {
        let mut state = seed;
        let (mut multipliers, mut offsets) = (Vec::new(), Vec::new());
        for _ in 0..permutations {
            multipliers.push(upper(split_mix(&mut state)) | 1);
            offsets.push(upper(split_mix(&mut state)));
        }
        Self {
            multipliers,
            offsets,
            shingle,
        }
    }

    /// Appends the signature of each text; of one without words, only `u32::MAX`.
    pub fn sign(&self, texts: &[&[u8]], out: &mut Vec<u32>) {
        let size = self.multipliers.len();
        let mut hashes = Vec::new();
        let mut shingles = Vec::new();
        for text in texts {
            hashes.clear();
            words(text, |word| hashes.push(fast64(&text[word])));
            shingles.clear();
            if self.shingle == 1 {
                shingles.extend(hashes.iter().map(|&hash| lower(mix(0, hash))));
            } else {
                let joined =
                    |hashes: &[u64]| lower(hashes.iter().fold(0, |all, &one| mix(all, one)));
                if hashes.len() < self.shingle && !hashes.is_empty() {
                    shingles.push(joined(&hashes));
                }
                shingles.extend(hashes.windows(self.shingle).map(joined));
            }
            let from = out.len();
            out.resize(from + size, u32::MAX);
            let target = &mut out[from..];
            wide(Smallest {
                multipliers: &self.multipliers,
                offsets: &self.offsets,
                shingles: &shingles,
                target,
            });
        }
    }

    /// The pairs of signatures that agree in at least `threshold` of their values, found by
    /// banding, by index; `None` if there are more than `limit`.
    pub fn pairs(&self, signatures: &[u32], threshold: f64, limit: usize) -> Option<Vec<Pair>> {
        let size = self.multipliers.len();
        let rows = rows(size, threshold);
        let all: Vec<&[u32]> = signatures.chunks_exact(size).collect();
        let mut pairs = Vec::new();
        for band in 0..size / rows {
            let part = band * rows..(band + 1) * rows;
            let mut buckets: HashMap<&[u32], Vec<usize>> = HashMap::new();
            for (at, signature) in all.iter().enumerate() {
                if signature.iter().any(|&value| value != u32::MAX) {
                    buckets
                        .entry(&signature[part.clone()])
                        .or_default()
                        .push(at);
                }
            }
            for bucket in buckets.into_values() {
                for (nth, &left) in bucket.iter().enumerate() {
                    for &right in &bucket[nth + 1..] {
                        // An earlier band has seen the pair already.
                        let seen = (0..band).any(|band| {
                            let part = band * rows..(band + 1) * rows;
                            all[left][part.clone()] == all[right][part]
                        });
                        if seen {
                            continue;
                        }
                        let equal = all[left].iter().zip(all[right]);
                        let equal = equal.filter(|(left, right)| left == right).count();
                        let estimate = equal as f64 / size as f64;
                        if estimate >= threshold {
                            if pairs.len() == limit {
                                return None;
                            }
                            pairs.push((left, right, estimate));
                        }
                    }
                }
            }
        }
        pairs.sort_unstable_by_key(|&(left, right, _)| (left, right));
        Some(pairs)
    }
}

struct Smallest<'a> {
    multipliers: &'a [u32],
    offsets: &'a [u32],
    shingles: &'a [u32],
    target: &'a mut [u32],
}

impl Kernel for Smallest<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        smallest(self.multipliers, self.offsets, self.shingles, self.target);
    }
}

/// A block of permutations at a time stays in registers while all shingles pass.
#[inline(always)]
fn smallest(multipliers: &[u32], offsets: &[u32], shingles: &[u32], target: &mut [u32]) {
    const LANES: usize = 64;
    let (blocks, rest) = target.as_chunks_mut::<LANES>();
    let (many, few) = multipliers.as_chunks::<LANES>();
    let (adds, remaining) = offsets.as_chunks::<LANES>();
    for ((block, many), adds) in blocks.iter_mut().zip(many).zip(adds) {
        let mut least = [u32::MAX; LANES];
        for &hash in shingles {
            for lane in 0..LANES {
                let value = hash.wrapping_mul(many[lane]).wrapping_add(adds[lane]);
                least[lane] = least[lane].min(value);
            }
        }
        *block = least;
    }
    for &hash in shingles {
        for ((value, factor), add) in rest.iter_mut().zip(few).zip(remaining) {
            *value = (*value).min(hash.wrapping_mul(*factor).wrapping_add(*add));
        }
    }
}

/// The rows of a band: as many as still find half of the pairs at the threshold, by the
/// largest `r` with `(size / r) * threshold**r >= 1`.
fn rows(size: usize, threshold: f64) -> usize {
    let (mut best, mut power) = (1, 1.0);
    for rows in 1..=size {
        power *= threshold;
        if (size / rows) as f64 * power >= 1.0 {
            best = rows;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resemblance_is_estimated_and_found() {
        let base: Vec<String> = (0..100).map(|n| format!("word{n}")).collect();
        let mut near = base.clone();
        near[50] = "other".to_owned();
        let texts = [
            base.join(" "),
            near.join(", "),
            "nothing alike".to_owned(),
            String::new(),
        ];
        let slices: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let hasher = MinHash::new(130, 2, 1);
        let mut signatures = Vec::new();
        hasher.sign(&slices, &mut signatures);
        let pairs = hasher.pairs(&signatures, 0.8, 10).unwrap();
        assert_eq!(pairs.len(), 1);
        assert_eq!((pairs[0].0, pairs[0].1), (0, 1));
        assert!(pairs[0].2 > 0.85);
        assert!(hasher.pairs(&signatures, 0.8, 0).is_none());
        assert!(signatures[3 * 130..].iter().all(|&value| value == u32::MAX));
    }
}
