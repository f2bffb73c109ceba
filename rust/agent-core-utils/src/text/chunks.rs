//! Chunks of a text by a budget of tokens, with overlap; along sentences where asked.

use super::words::{sentences, tokens};
use std::ops::Range;

/// Where a text may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkBy {
    /// Between any two tokens.
    Token,
    /// Between sentences; a sentence beyond the budget is cut between tokens.
    Sentence,
}

/// How a text is cut into chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkOptions {
    /// The most tokens of a chunk; above zero.
    pub budget: usize,
    /// The most tokens that a chunk shares with the one before; less than the budget.
    pub overlap: usize,
    /// Where it may be cut.
    pub by: ChunkBy,
}

/// Reports the byte range of each chunk, from left to right.
pub fn chunks(text: &[u8], options: ChunkOptions, mut report: impl FnMut(Range<usize>)) {
    let mut all = Vec::new();
    tokens(text, |token| all.push(token));
    match options.by {
        ChunkBy::Token => windows(&all, options.budget, options.overlap, report),
        ChunkBy::Sentence => {
            let pieces = pieces(text, &all, options.budget);
            let mut from = 0;
            while from < pieces.len() {
                let (mut end, mut total) = (from, 0);
                while end < pieces.len() && total + pieces[end].1 <= options.budget {
                    total += pieces[end].1;
                    end += 1;
                }
                report(pieces[from].0.start..pieces[end - 1].0.end);
                let Some((_, next)) = pieces.get(end) else {
                    break;
                };
                let (first, mut shared) = (from, 0);
                from = end;
                while from > first + 1 {
                    let more = shared + pieces[from - 1].1;
                    if more > options.overlap || more + next > options.budget {
                        break;
                    }
                    shared = more;
                    from -= 1;
                }
            }
        }
    }
}

fn windows(
    all: &[Range<usize>],
    budget: usize,
    overlap: usize,
    mut report: impl FnMut(Range<usize>),
) {
    let mut from = 0;
    while from < all.len() {
        let end = all.len().min(from.saturating_add(budget));
        report(all[from].start..all[end - 1].end);
        if end == all.len() {
            break;
        }
        from += budget - overlap;
    }
}

/// The sentences with their numbers of tokens; those beyond the budget in parts.
fn pieces(text: &[u8], all: &[Range<usize>], budget: usize) -> Vec<(Range<usize>, usize)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    sentences(text, |sentence| {
        let count = all[at..].partition_point(|token| token.start < sentence.end);
        if count <= budget {
            pieces.push((sentence, count));
        } else {
            for part in all[at..at + count].chunks(budget) {
                pieces.push((part[0].start..part[part.len() - 1].end, part.len()));
            }
        }
        at += count;
    });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, budget: usize, overlap: usize, by: ChunkBy) -> Vec<&str> {
        let mut found = Vec::new();
        let options = ChunkOptions {
            budget,
            overlap,
            by,
        };
        chunks(text.as_bytes(), options, |range| found.push(&text[range]));
        found
    }

    #[test]
    fn by_token_with_overlap() {
        let found = run(" a b c, d ", 3, 1, ChunkBy::Token);
        assert_eq!(found, ["a b c", "c, d"]);
        assert!(run("  ", 3, 1, ChunkBy::Token).is_empty());
    }

    #[test]
    fn by_sentence_with_overlap() {
        let text = "A b. C. D e f g h i. J.";
        assert_eq!(
            run(text, 5, 2, ChunkBy::Sentence),
            ["A b. C.", "D e f g h", "i. J."]
        );
        assert_eq!(
            run("A. B. C. D.", 4, 2, ChunkBy::Sentence),
            ["A. B.", "B. C.", "C. D."]
        );
    }
}
