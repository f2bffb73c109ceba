//! Matches lie within the text, in code points, and are what was looked for.
#![no_main]

use agent_core_utils::text::{MatchKind, Matcher};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // The first line holds the patterns, parted by commas; the rest is the text.
    let at = input
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(input.len());
    let (head, text) = (&input[..at], input.get(at + 1..).unwrap_or_default());
    let (Ok(head), Ok(text)) = (std::str::from_utf8(head), std::str::from_utf8(text)) else {
        return;
    };
    let patterns: Vec<&str> = head.split(',').collect();
    let points: Vec<char> = text.chars().collect();
    for kind in [MatchKind::Leftmost, MatchKind::Overlapping] {
        let Ok(matcher) = Matcher::new(&patterns, kind, false) else {
            return;
        };
        let mut hits = Vec::new();
        matcher.find(text.as_bytes(), &mut hits);
        for hit in &hits {
            let found: String = points[hit.start..hit.end].iter().collect();
            assert_eq!(found, patterns[hit.pattern]);
        }
        if kind == MatchKind::Overlapping {
            let wanted: usize = patterns.iter().map(|one| occurrences(text, one)).sum();
            assert_eq!(hits.len(), wanted);
        }
    }
});

/// How often `pattern` stands in `text`, overlaps counted.
fn occurrences(text: &str, pattern: &str) -> usize {
    text.char_indices()
        .filter(|(at, _)| text[*at..].starts_with(pattern))
        .count()
}
