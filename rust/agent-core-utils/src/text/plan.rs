//! A plan: several steps over a text without a way back to the caller in between.

use super::expression::{Expression, Part};
use super::normalize::{NormalizeOptions, normalize_ascii};
use super::redact::Redactor;

/// One step from a text to a text.
#[derive(Debug, Clone)]
pub enum Step {
    /// Normalize; of ASCII alone.
    Normalize(NormalizeOptions),
    /// Replace sensitive text by labels.
    Redact(Redactor),
    /// Replace the matches of an expression.
    Replace(Expression, Vec<Part>),
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it was.
    Same,
    /// It stands in the buffer now.
    Changed,
    /// The caller has to do the step of this index, and those after it: it is a step for
    /// ASCII alone, and the text (in the buffer, if it changed) has more.
    Foreign {
        /// The index of the step.
        step: usize,
        /// Whether the text stands in the buffer.
        changed: bool,
    },
}

/// Runs `steps[first..]` over `text`. What it becomes, if it changes, is left in `text_out`;
/// `spare` is room to work in.
pub fn run(
    steps: &[Step],
    first: usize,
    text: &[u8],
    text_out: &mut Vec<u8>,
    spare: &mut Vec<u8>,
) -> Outcome {
    let mut changed = false;
    let mut ascii = text.is_ascii();
    for (at, step) in steps.iter().enumerate().skip(first) {
        spare.clear();
        let current: &[u8] = if changed { text_out } else { text };
        let differs = match step {
            Step::Normalize(_) if !ascii => return Outcome::Foreign { step: at, changed },
            Step::Normalize(options) => normalize_ascii(current, *options, spare),
            Step::Redact(redactor) => redactor.redact(current, spare),
            Step::Replace(expression, parts) => expression.replace(current, parts, spare),
        };
        if differs {
            if matches!(step, Step::Replace(..)) {
                ascii = spare.is_ascii();
            }
            std::mem::swap(text_out, spare);
            changed = true;
        }
    }
    if changed && text_out.as_slice() != text {
        Outcome::Changed
    } else {
        Outcome::Same
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Case, Kind};
    use super::*;

    #[test]
    fn steps_feed_each_other_until_one_is_foreign() {
        let options = NormalizeOptions {
            case: Case::Lower,
            whitespace: true,
            controls: false,
        };
        let steps = [
            Step::Normalize(options),
            Step::Redact(Redactor::new(Kind::ALL)),
            Step::Replace(
                Expression::new("e").unwrap(),
                vec![Part::Literal("é".into())],
            ),
            Step::Normalize(options),
        ];
        let (mut out, mut spare) = (Vec::new(), Vec::new());
        let outcome = run(&steps[..2], 0, b" A@B.DE  x", &mut out, &mut spare);
        assert_eq!(
            (outcome, out.as_slice()),
            (Outcome::Changed, &b"[EMAIL] x"[..])
        );
        let outcome = run(&steps[..2], 0, b"as it is", &mut out, &mut spare);
        assert_eq!(outcome, Outcome::Same);
        let outcome = run(&steps, 0, b"E", &mut out, &mut spare);
        let foreign = Outcome::Foreign {
            step: 3,
            changed: true,
        };
        assert_eq!((outcome, out.as_slice()), (foreign, "é".as_bytes()));
    }
}
