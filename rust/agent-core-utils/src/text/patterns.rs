//! Find many patterns at once (Aho–Corasick), with positions in code points.

mod lanes;

use super::CodePoints;
use crate::Error;
use aho_corasick::dfa::DFA;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, StartKind};
use lanes::{LANES, interleave};
use std::ops::Range;
use std::str::FromStr;

/// The most patterns of one matcher.
pub const PATTERNS_LIMIT: usize = 100_000;
/// The most bytes of all patterns of one matcher together.
pub const MATCH_BYTES_LIMIT: usize = 8 << 20;

/// Which of the matches that share text are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MatchKind {
    /// From left to right, the longest at each place, none sharing text.
    #[default]
    Leftmost,
    /// All of them, by end, then longest first, then by pattern.
    Overlapping,
}

impl FromStr for MatchKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "leftmost" => Ok(Self::Leftmost),
            "overlapping" => Ok(Self::Overlapping),
            other => Err(Error::MatchKind(other.to_owned())),
        }
    }
}

/// One match; positions in code points, `end` is the first one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Index of the pattern; of equal patterns the first, unless matches overlap.
    pub pattern: u32,
    /// Where the match begins.
    pub start: u32,
    /// Where it has ended.
    pub end: u32,
}

/// The matches in many texts; its memory serves one batch after another.
#[derive(Debug, Default)]
pub struct Found {
    lanes: [Vec<Hit>; LANES],
    places: Vec<(usize, Range<usize>)>, // lane and range in it, by text
}

impl Found {
    /// The matches in each text.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &[Hit]> {
        let hits = |(lane, range): &(usize, Range<usize>)| &self.lanes[*lane][range.clone()];
        self.places.iter().map(hits)
    }

    /// How many matches there are in all.
    pub fn count(&self) -> usize {
        self.places.iter().map(|(_, range)| range.len()).sum()
    }

    /// Forgets the matches, and the memory beyond `limit` of them.
    pub fn reset(&mut self, limit: usize) {
        self.places.clear();
        for lane in &mut self.lanes {
            lane.clear();
            lane.shrink_to(limit);
        }
    }
}

/// Patterns made ready to be found.
#[derive(Debug)]
pub struct Matcher {
    engine: Engine,
    kind: MatchKind,
    points: Vec<u32>,
    first_equal: Vec<u32>,
}

#[derive(Debug)]
enum Engine {
    Nothing,         // there is no pattern
    Table(Box<DFA>), // for up to TABLE_BYTES of patterns: a load a byte
    Graph(Box<AhoCorasick>),
}

const TABLE_BYTES: usize = 8 << 10;

impl Matcher {
    /// Compiles `patterns`; with `ignore_case`, ASCII letters match in either case.
    ///
    /// # Errors
    /// [`Error::EmptyPattern`], [`Error::TooManyPatterns`], or [`Error::Build`] when the
    /// automaton does not fit its own limits.
    pub fn new<P: AsRef<[u8]>>(
        patterns: &[P],
        kind: MatchKind,
        ignore_case: bool,
    ) -> Result<Self, Error> {
        let bytes = check_bounds(patterns)?;
        let match_kind = match kind {
            MatchKind::Leftmost => aho_corasick::MatchKind::LeftmostLongest,
            MatchKind::Overlapping => aho_corasick::MatchKind::Standard,
        };
        let engine = if patterns.is_empty() {
            Engine::Nothing
        } else if bytes <= TABLE_BYTES {
            DFA::builder()
                .ascii_case_insensitive(ignore_case)
                .match_kind(match_kind)
                .start_kind(StartKind::Unanchored)
                .prefilter(false)
                .build(patterns)
                .map(|dfa| Engine::Table(Box::new(dfa)))
                .map_err(|error| Error::Build(error.to_string()))?
        } else {
            AhoCorasickBuilder::new()
                .ascii_case_insensitive(ignore_case)
                .match_kind(match_kind)
                .build(patterns)
                .map(|graph| Engine::Graph(Box::new(graph)))
                .map_err(|error| Error::Build(error.to_string()))?
        };
        let mut seen = std::collections::HashMap::new();
        let first_equal = patterns.iter().zip(0..).map(|(pattern, index)| {
            let mut key = pattern.as_ref().to_vec();
            if ignore_case {
                key.make_ascii_lowercase();
            }
            *seen.entry(key).or_insert(index)
        });
        let points = patterns.iter().map(|pattern| {
            let points = CodePoints::new(pattern.as_ref()).at(pattern.as_ref().len());
            narrow(points)
        });
        Ok(Self {
            engine,
            kind,
            first_equal: first_equal.collect(),
            points: points.collect(),
        })
    }

    /// Finds the matches in `texts`, in the order of the [`MatchKind`]; what was in `found`
    /// before goes. A text must have less than 2^32 bytes.
    pub fn find_batch(&self, texts: &[&[u8]], found: &mut Found) {
        found.reset(usize::MAX);
        match &self.engine {
            Engine::Nothing => found.places.resize(texts.len(), (0, 0..0)),
            Engine::Table(dfa) => interleave(dfa, self.kind, texts, found),
            Engine::Graph(graph) => {
                for text in texts {
                    let from = found.lanes[0].len();
                    let hit = |at: &aho_corasick::Match| Hit {
                        pattern: at.pattern().as_u32(),
                        start: narrow(at.start()),
                        end: narrow(at.end()),
                    };
                    let lane = &mut found.lanes[0];
                    match self.kind {
                        MatchKind::Leftmost => {
                            lane.extend(graph.find_iter(text).map(|at| hit(&at)));
                        }
                        MatchKind::Overlapping => {
                            lane.extend(graph.find_overlapping_iter(text).map(|at| hit(&at)));
                        }
                    }
                    found.places.push((0, from..found.lanes[0].len()));
                }
            }
        }
        for (text, (lane, range)) in texts.iter().zip(&found.places) {
            self.finish(text, &mut found.lanes[*lane][range.clone()]);
        }
    }

    /// Makes of the automaton's matches, in bytes and its own order, what is promised.
    fn finish(&self, text: &[u8], hits: &mut [Hit]) {
        if hits.is_empty() {
            return;
        }
        let mut points = CodePoints::new(text);
        match self.kind {
            MatchKind::Leftmost => {
                for hit in hits {
                    hit.pattern = self.first_equal[hit.pattern as usize];
                    if !points.ascii {
                        hit.start = narrow(points.at(hit.start as usize));
                        hit.end = hit.start + self.points[hit.pattern as usize];
                    }
                }
            }
            MatchKind::Overlapping => {
                for hit in &mut *hits {
                    hit.end = narrow(points.at(hit.end as usize));
                    hit.start = hit.end - self.points[hit.pattern as usize];
                }
                let order = |hit: &Hit| (hit.end, hit.start, hit.pattern);
                if !hits.is_sorted_by_key(order) {
                    hits.sort_unstable_by_key(order);
                }
            }
        }
    }

    /// The matches in one text.
    pub fn find(&self, text: &[u8]) -> Vec<Hit> {
        let mut found = Found::default();
        self.find_batch(&[text], &mut found);
        found.texts().next().map_or_else(Vec::new, <[Hit]>::to_vec)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "texts and patterns are shorter than 4 GiB"
)]
const fn narrow(offset: usize) -> u32 {
    offset as u32
}

fn check_bounds<P: AsRef<[u8]>>(patterns: &[P]) -> Result<usize, Error> {
    let too_many = |limit, unit, got| Err(Error::TooManyPatterns { limit, unit, got });
    if patterns.len() > PATTERNS_LIMIT {
        return too_many(PATTERNS_LIMIT, "patterns", patterns.len());
    }
    if let Some(index) = patterns.iter().position(|one| one.as_ref().is_empty()) {
        return Err(Error::EmptyPattern(index));
    }
    let bytes = patterns.iter().map(|one| one.as_ref().len()).sum();
    if bytes > MATCH_BYTES_LIMIT {
        return too_many(MATCH_BYTES_LIMIT, "bytes", bytes);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(patterns: &[&str], kind: MatchKind, text: &str) -> Vec<(u32, u32, u32)> {
        let matcher = Matcher::new(patterns, kind, false).unwrap();
        let hits = matcher.find(text.as_bytes());
        hits.iter()
            .map(|hit| (hit.pattern, hit.start, hit.end))
            .collect()
    }

    #[test]
    fn positions_count_code_points() {
        let hits = find(&["ü", "x"], MatchKind::Leftmost, "aüü€x");
        assert_eq!(hits, [(0, 1, 2), (0, 2, 3), (1, 4, 5)]);
    }

    #[test]
    fn leftmost_takes_the_longest_and_the_first_of_equals() {
        let hits = find(&["ab", "abc", "abc", "bc"], MatchKind::Leftmost, "abcbc");
        assert_eq!(hits, [(1, 0, 3), (3, 3, 5)]);
    }

    #[test]
    fn overlapping_reports_all_in_order() {
        let hits = find(&["c", "bc", "abc", "bc"], MatchKind::Overlapping, "abc");
        assert_eq!(hits, [(2, 0, 3), (1, 1, 3), (3, 1, 3), (0, 2, 3)]);
    }

    #[test]
    fn bad_patterns_are_refused() {
        let kind = MatchKind::Leftmost;
        assert_eq!(
            Matcher::new(&["a", ""], kind, false).err(),
            Some(Error::EmptyPattern(1))
        );
        let many = vec!["a"; PATTERNS_LIMIT + 1];
        assert!(matches!(
            Matcher::new(&many, kind, false),
            Err(Error::TooManyPatterns {
                unit: "patterns",
                ..
            })
        ));
        let none = Matcher::new::<&str>(&[], kind, false).unwrap();
        assert!(none.find(b"abc").is_empty());
    }

    #[test]
    fn case_is_ignored_within_ascii_only() {
        let matcher = Matcher::new(&["straße", "K"], MatchKind::Leftmost, true).unwrap();
        let hits = matcher.find("STRAßE k \u{212A}".as_bytes()); // U+212A is the Kelvin sign
        assert_eq!(hits.len(), 2);
    }

    #[test]
    fn a_batch_equals_its_texts_in_either_engine() {
        let mut seed = 3_u64;
        let mut text = |length: usize| -> String {
            (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ["a", "b", "c", "é"][usize::try_from((seed >> 33) % 4).unwrap()]
                })
                .collect()
        };
        let texts: Vec<String> = (0..60).map(|n| text(n * 7 % 90)).collect();
        let slices: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let patterns = ["ab", "abc", "bca", "c", "éa", "abcabc"];
        let mut many: Vec<String> = patterns.map(str::to_owned).to_vec();
        many.push("x".repeat(TABLE_BYTES));
        for kind in [MatchKind::Leftmost, MatchKind::Overlapping] {
            let table = Matcher::new(&patterns, kind, false).unwrap();
            let graph = Matcher::new(&many, kind, false).unwrap();
            assert!(matches!(table.engine, Engine::Table(_)));
            assert!(matches!(graph.engine, Engine::Graph(_)));
            let (mut left, mut right) = (Found::default(), Found::default());
            table.find_batch(&slices, &mut left);
            graph.find_batch(&slices, &mut right);
            assert!(left.count() > 100 && left.texts().eq(right.texts()));
        }
    }
}
