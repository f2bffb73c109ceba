//! What the subset of regular expressions accepts can be matched, within the text, without going back.
#![no_main]

use agent_core_utils::text::Expression;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (source, text) = input;
    let Ok(expression) = Expression::new(source) else {
        return;
    };
    for group in 0..=expression.groups() {
        let mut from = 0;
        expression.extract(text.as_bytes(), group, |found| {
            if let Some(range) = found {
                assert!(range.start <= range.end && range.end <= text.len());
                if group == 0 {
                    assert!(range.start >= from);
                    from = range.end;
                }
            }
        });
    }
});
