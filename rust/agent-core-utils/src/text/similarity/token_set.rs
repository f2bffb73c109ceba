//! The token-set ratio: how much the words resemble, whatever their order and repetition.

use super::levenshtein::common;
use super::points;
use crate::text::words::words;
use std::cmp::Ordering;

/// The different words of a text, sorted.
pub(super) struct TokenSet {
    words: Vec<Vec<u32>>,
}

/// The length of words joined by spaces, taking one more word in.
fn joined(length: usize, word: &[u32]) -> usize {
    length + usize::from(length > 0) + word.len()
}

fn append(text: &mut Vec<u32>, word: &[u32]) {
    if !text.is_empty() {
        text.push(u32::from(b' '));
    }
    text.extend_from_slice(word);
}

impl TokenSet {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut all: Vec<Vec<u32>> = Vec::new();
        words(text, |word| all.push(points(&text[word])));
        all.sort_unstable();
        all.dedup();
        Self { words: all }
    }

    /// Compares the common words with each side's, and what only each side has.
    pub(super) fn ratio(&self, other: &Self) -> f64 {
        if self.words.is_empty() || other.words.is_empty() {
            return 0.0;
        }
        let (mut left, mut right, mut shared) = (Vec::new(), Vec::new(), 0);
        let (mut a, mut b) = (self.words.iter().peekable(), other.words.iter().peekable());
        loop {
            let order = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) => x.cmp(y),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => append(&mut left, a.next().map_or(&[], |word| word)),
                Ordering::Greater => append(&mut right, b.next().map_or(&[], |word| word)),
                Ordering::Equal => {
                    shared = joined(shared, a.next().map_or(&[], |word| word));
                    b.next();
                }
            }
        }
        if shared > 0 && (left.is_empty() || right.is_empty()) {
            return 1.0;
        }
        let gap = usize::from(shared > 0);
        let (all_left, all_right) = (shared + gap + left.len(), shared + gap + right.len());
        let distance = left.len() + right.len() - 2 * common(&left, &right);
        let apart = 1.0 - distance as f64 / (all_left + all_right) as f64;
        if shared == 0 {
            return apart;
        }
        let with_left = 1.0 - (gap + left.len()) as f64 / (shared + all_left) as f64;
        let with_right = 1.0 - (gap + right.len()) as f64 / (shared + all_right) as f64;
        apart.max(with_left).max(with_right)
    }
}
