//! Redaction leaves what it did not claim, and claims pieces that share no text.
#![no_main]

use agent_core_utils::text::{Kind, Redactor};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let redactor = Redactor::new(Kind::ALL);
    let spans = redactor.spans(input);
    let mut wanted = Vec::new();
    let mut from = 0;
    for span in &spans {
        assert!(from <= span.start && span.start < span.end && span.end <= input.len());
        wanted.extend_from_slice(&input[from..span.start]);
        wanted.extend_from_slice(span.kind.label().as_bytes());
        from = span.end;
    }
    wanted.extend_from_slice(&input[from..]);
    let mut out = Vec::new();
    assert_eq!(redactor.redact(input, &mut out), !spans.is_empty());
    if !spans.is_empty() {
        assert_eq!(out, wanted);
    }
});
