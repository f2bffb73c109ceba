//! Case, whitespace and control characters of ASCII text, in one pass.
//!
//! Only ASCII: the tables of Rust's standard library and of each Python differ for dozens of
//! other code points, so those strings are left to the caller, who has the tables that count.

/// What becomes of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// They stay.
    Keep,
    /// They become small. Case folding is the same within ASCII.
    #[default]
    Lower,
}

/// What [`normalize_ascii`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NormalizeOptions {
    /// What becomes of letters.
    pub case: Case,
    /// Runs of whitespace become one space; at the ends they go.
    pub whitespace: bool,
    /// Control characters that are no whitespace go.
    pub controls: bool,
}

const CHUNK: usize = 32;

/// ASCII whitespace as Python's `str.split` sees it: U+001C to U+001F are in.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0D | 0x1C..=0x1F)
}

const fn is_dropped_control(byte: u8) -> bool {
    (byte < 0x20 || byte == 0x7F) && !is_space(byte)
}

/// What one byte becomes when whitespace is collapsed.
#[derive(Clone, Copy)]
struct Step {
    byte: u8,
    space: bool,
    dropped: bool,
}

/// The steps by `controls`, by whether letters become small, by byte: looking up beats asking.
static STEPS: [[[Step; 256]; 2]; 2] = [
    [steps(false, false), steps(false, true)],
    [steps(true, false), steps(true, true)],
];

const fn steps(controls: bool, lower: bool) -> [Step; 256] {
    let mut steps = [Step {
        byte: b' ',
        space: true,
        dropped: false,
    }; 256];
    let mut byte = 0_u8;
    loop {
        if !is_space(byte) {
            steps[byte as usize] = Step {
                byte: if lower {
                    byte.to_ascii_lowercase()
                } else {
                    byte
                },
                space: false,
                dropped: controls && is_dropped_control(byte),
            };
        }
        if byte == u8::MAX {
            return steps;
        }
        byte += 1;
    }
}

/// Appends the normal form of `text`, which must be ASCII, to `out`; tells whether it differs.
pub fn normalize_ascii(text: &[u8], options: NormalizeOptions, out: &mut Vec<u8>) -> bool {
    debug_assert!(text.is_ascii());
    let from = out.len();
    out.resize(from + text.len(), 0);
    let written = if options.whitespace {
        collapse(text, options, &mut out[from..])
    } else {
        keep_spaces(text, options, &mut out[from..])
    };
    out.truncate(from + written);
    out[from..] != *text
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch costs more than it saves"
)]
fn collapse(text: &[u8], options: NormalizeOptions, out: &mut [u8]) -> usize {
    let steps = &STEPS[usize::from(options.controls)][usize::from(options.case == Case::Lower)];
    let mut written = 0;
    let mut after_space = true; // so that leading whitespace is not kept
    for chunk in text.chunks(CHUNK) {
        if is_regular(chunk) && !(after_space && chunk[0] == b' ') {
            let target = &mut out[written..written + chunk.len()];
            target.copy_from_slice(chunk);
            if options.case == Case::Lower {
                target.make_ascii_lowercase();
            }
            written += chunk.len();
            after_space = chunk[chunk.len() - 1] == b' ';
            continue;
        }
        for &byte in chunk {
            let step = steps[usize::from(byte)];
            out[written] = step.byte;
            let dropped = (step.space & after_space) | step.dropped;
            written += usize::from(!dropped);
            // A dropped control does not part two runs of whitespace.
            after_space = step.space | (after_space & dropped);
        }
    }
    if after_space && written > 0 {
        written -= 1;
    }
    written
}

fn keep_spaces(text: &[u8], options: NormalizeOptions, out: &mut [u8]) -> usize {
    let mut written = 0;
    for &byte in text {
        out[written] = mapped(byte, options);
        written += usize::from(!(options.controls && is_dropped_control(byte)));
    }
    written
}

fn mapped(byte: u8, options: NormalizeOptions) -> u8 {
    match options.case {
        Case::Lower => byte.to_ascii_lowercase(),
        Case::Keep => byte,
    }
}

/// Whether a chunk has no control, no whitespace but single spaces. Written without branches
/// so that the compiler can do many bytes at once.
fn is_regular(chunk: &[u8]) -> bool {
    let mut odd = 0_u8;
    for &byte in chunk {
        odd |= u8::from(byte < 0x20) | u8::from(byte == 0x7F);
    }
    for (left, right) in chunk.iter().zip(&chunk[1..]) {
        odd |= u8::from(*left == b' ') & u8::from(*right == b' ');
    }
    odd == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: NormalizeOptions = NormalizeOptions {
        case: Case::Lower,
        whitespace: true,
        controls: true,
    };

    fn run(text: &str, options: NormalizeOptions) -> (String, bool) {
        let mut out = b"before".to_vec();
        let changed = normalize_ascii(text.as_bytes(), options, &mut out);
        (String::from_utf8(out.split_off(6)).unwrap(), changed)
    }

    /// The definition, without chunks: drop, lower, split, join.
    fn model(text: &str, options: NormalizeOptions) -> String {
        let mut out: String = text
            .chars()
            .filter(|c| !(options.controls && c.is_ascii() && is_dropped_control(*c as u8)))
            .collect();
        if options.case == Case::Lower {
            out.make_ascii_lowercase();
        }
        if options.whitespace {
            let words: Vec<&str> = out
                .split(|c: char| is_space(c as u8))
                .filter(|word| !word.is_empty())
                .collect();
            out = words.join(" ");
        }
        out
    }

    #[test]
    fn collapses_lowers_and_drops() {
        assert_eq!(run("  A\t\x1Cb \x07 c ", ALL), ("a b c".into(), true));
        assert_eq!(run("a b", ALL), ("a b".into(), false));
        assert_eq!(run("", ALL), (String::new(), false));
        assert_eq!(run(" \n ", ALL), (String::new(), true));
    }

    #[test]
    fn equals_its_model_around_chunk_borders() {
        let mut seed = 7_u64;
        let alphabet = b"aZ  \t\x1f\x00\x7f.b";
        for length in 0..200 {
            for _ in 0..40 {
                let text: String = (0..length)
                    .map(|_| {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(3);
                        // mostly letters, so that regular chunks occur
                        let pick = usize::try_from((seed >> 33) % 40).unwrap();
                        char::from(*alphabet.get(pick).unwrap_or(&b'Q'))
                    })
                    .collect();
                for bits in 0..8 {
                    let options = NormalizeOptions {
                        case: if bits & 1 == 0 {
                            Case::Keep
                        } else {
                            Case::Lower
                        },
                        whitespace: bits & 2 != 0,
                        controls: bits & 4 != 0,
                    };
                    let expected = model(&text, options);
                    let changed = expected != text;
                    assert_eq!(run(&text, options), (expected, changed), "{text:?}");
                }
            }
        }
    }
}
