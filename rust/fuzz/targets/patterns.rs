//! Matches lie within their text, in code points, and are what was looked for, beside any other texts.
#![no_main]

use agent_core_utils::text::{Found, MatchKind, Matcher};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    // The first line holds the patterns, parted by commas; the others are the texts.
    let mut lines = input.split('\n');
    let patterns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let texts: Vec<&str> = lines.collect();
    let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    let mut found = Found::default();
    for kind in [MatchKind::Leftmost, MatchKind::Overlapping] {
        let Ok(matcher) = Matcher::new(&patterns, kind, false) else {
            return;
        };
        matcher.find_batch(&bytes, &mut found);
        assert_eq!(found.texts().count(), texts.len());
        for (text, hits) in texts.iter().zip(found.texts()) {
            let points: Vec<char> = text.chars().collect();
            for hit in hits {
                let found: String = points[hit.start as usize..hit.end as usize]
                    .iter()
                    .collect();
                assert_eq!(found, patterns[hit.pattern as usize]);
            }
            if kind == MatchKind::Overlapping {
                let wanted: usize = patterns.iter().map(|one| occurrences(text, one)).sum();
                assert_eq!(hits.len(), wanted);
            }
        }
    }
});

/// How often `pattern` stands in `text`, overlaps counted.
fn occurrences(text: &str, pattern: &str) -> usize {
    text.char_indices()
        .filter(|(at, _)| text[*at..].starts_with(pattern))
        .count()
}
