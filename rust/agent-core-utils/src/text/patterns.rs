//! Find many patterns at once (Aho–Corasick), with positions in code points.

use super::CodePoints;
use crate::Error;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
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
    pub pattern: usize,
    /// Where the match begins.
    pub start: usize,
    /// Where it has ended.
    pub end: usize,
}

/// Patterns made ready to be found.
#[derive(Debug)]
pub struct Matcher {
    automaton: Option<AhoCorasick>, // none without patterns
    kind: MatchKind,
    points: Vec<usize>,
    first_equal: Vec<usize>,
}

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
        check_bounds(patterns)?;
        let automaton = if patterns.is_empty() {
            None
        } else {
            let built = AhoCorasickBuilder::new()
                .ascii_case_insensitive(ignore_case)
                .match_kind(match kind {
                    MatchKind::Leftmost => aho_corasick::MatchKind::LeftmostLongest,
                    MatchKind::Overlapping => aho_corasick::MatchKind::Standard,
                })
                .build(patterns)
                .map_err(|error| Error::Build(error.to_string()))?;
            Some(built)
        };
        let mut seen = std::collections::HashMap::new();
        let first_equal = patterns
            .iter()
            .enumerate()
            .map(|(index, pattern)| {
                let mut key = pattern.as_ref().to_vec();
                if ignore_case {
                    key.make_ascii_lowercase();
                }
                *seen.entry(key).or_insert(index)
            })
            .collect();
        let points = patterns
            .iter()
            .map(|pattern| CodePoints::new(pattern.as_ref()).at(pattern.as_ref().len()))
            .collect();
        Ok(Self {
            automaton,
            kind,
            points,
            first_equal,
        })
    }

    /// Appends the matches in `text` to `hits`, in the order of the [`MatchKind`].
    pub fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        let mut points = CodePoints::new(text);
        let from = hits.len();
        match self.kind {
            MatchKind::Leftmost => hits.extend(automaton.find_iter(text).map(|found| {
                let pattern = self.first_equal[found.pattern().as_usize()];
                let start = points.at(found.start());
                Hit {
                    pattern,
                    start,
                    end: start + self.points[pattern],
                }
            })),
            MatchKind::Overlapping => {
                hits.extend(automaton.find_overlapping_iter(text).map(|found| {
                    let pattern = found.pattern().as_usize();
                    let end = points.at(found.end());
                    Hit {
                        pattern,
                        start: end - self.points[pattern],
                        end,
                    }
                }));
                // The automaton orders by end; the rest is our promise, not its.
                let order = |hit: &Hit| (hit.end, hit.start, hit.pattern);
                if !hits[from..].is_sorted_by_key(order) {
                    hits[from..].sort_unstable_by_key(order);
                }
            }
        }
    }
}

fn check_bounds<P: AsRef<[u8]>>(patterns: &[P]) -> Result<(), Error> {
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(patterns: &[&str], kind: MatchKind, text: &str) -> Vec<(usize, usize, usize)> {
        let mut hits = Vec::new();
        let matcher = Matcher::new(patterns, kind, false).unwrap();
        matcher.find(text.as_bytes(), &mut hits);
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
        let mut none = Vec::new();
        Matcher::new::<&str>(&[], kind, false)
            .unwrap()
            .find(b"abc", &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn case_is_ignored_within_ascii_only() {
        let matcher = Matcher::new(&["straße", "K"], MatchKind::Leftmost, true).unwrap();
        let mut hits = Vec::new();
        matcher.find("STRAßE k \u{212A}".as_bytes(), &mut hits); // U+212A is the Kelvin sign
        assert_eq!(hits.len(), 2);
    }
}
