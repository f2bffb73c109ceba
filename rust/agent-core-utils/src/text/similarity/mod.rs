//! How much two texts resemble each other, from 0 to 1: one to many, or as a matrix.
//!
//! All of it counts in code points; the arithmetic is in the order of the Python twin, so
//! the results are equal to the last bit.

mod jaro;
mod lanes;
mod levenshtein;
mod token_set;

use super::words::point_at;
use jaro::jaro_winkler;
use levenshtein::Query;
use token_set::TokenSet;

/// A measure of resemblance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// One less the edit distance over the length of the longer text.
    Levenshtein,
    /// Jaro's, with Winkler's weight of 0.1 for up to four equal first characters.
    JaroWinkler,
    /// The best of the comparisons between common and remaining words.
    TokenSet,
}

impl Metric {
    /// The metric of this name.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "levenshtein" => Some(Self::Levenshtein),
            "jaro_winkler" => Some(Self::JaroWinkler),
            "token_set" => Some(Self::TokenSet),
            _ => None,
        }
    }
}

fn points(text: &[u8]) -> Vec<u32> {
    if text.is_ascii() {
        return text.iter().map(|&byte| u32::from(byte)).collect();
    }
    let (mut at, mut points) = (0, Vec::with_capacity(text.len()));
    while at < text.len() {
        let (point, size) = point_at(text, at);
        points.push(point);
        at += size;
    }
    points
}

fn all_points(texts: &[&[u8]]) -> Vec<Vec<u32>> {
    texts.iter().map(|text| points(text)).collect()
}

fn ratio(distance: usize, longest: usize) -> f64 {
    if longest == 0 {
        return 1.0;
    }
    1.0 - distance as f64 / longest as f64
}

/// The resemblance of `query` and each of `choices`.
pub fn one_to_many(query: &[u8], choices: &[&[u8]], metric: Metric) -> Vec<f64> {
    match metric {
        Metric::Levenshtein => {
            let query = Query::new(&points(query));
            let each = |choice: &&[u8]| {
                let choice = points(choice);
                ratio(query.distance(&choice), query.len().max(choice.len()))
            };
            choices.iter().map(each).collect()
        }
        Metric::JaroWinkler => {
            let query = points(query);
            let each = |choice: &&[u8]| jaro_winkler(&query, &points(choice));
            choices.iter().map(each).collect()
        }
        Metric::TokenSet => {
            let query = TokenSet::of(query);
            let each = |choice: &&[u8]| query.ratio(&TokenSet::of(choice));
            choices.iter().map(each).collect()
        }
    }
}

/// The resemblance of each of `queries` and each of `choices`, row by row into `out`, which
/// has a place for each pair; by `workers` threads.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the result has single precision"
)]
pub fn matrix(
    queries: &[&[u8]],
    choices: &[&[u8]],
    metric: Metric,
    workers: usize,
    out: &mut [f32],
) {
    let width = choices.len();
    if width == 0 || queries.is_empty() {
        return;
    }
    let share = queries.len().div_ceil(workers.max(1));
    match metric {
        Metric::Levenshtein => {
            let choices = lanes::Choices::new(&all_points(choices));
            spread(queries, share, width, out, |queries, out| {
                choices.ratios(&all_points(queries), out);
            });
        }
        Metric::JaroWinkler => {
            let choices = all_points(choices);
            spread(queries, share, width, out, |queries, out| {
                for (query, row) in queries.iter().zip(out.chunks_exact_mut(width)) {
                    let query = points(query);
                    for (choice, value) in choices.iter().zip(row) {
                        *value = jaro_winkler(&query, choice) as f32;
                    }
                }
            });
        }
        Metric::TokenSet => {
            let choices: Vec<TokenSet> = choices.iter().map(|one| TokenSet::of(one)).collect();
            spread(queries, share, width, out, |queries, out| {
                for (query, row) in queries.iter().zip(out.chunks_exact_mut(width)) {
                    let query = TokenSet::of(query);
                    for (choice, value) in choices.iter().zip(row) {
                        *value = query.ratio(choice) as f32;
                    }
                }
            });
        }
    }
}

/// Lets `work` do each share of the rows, in threads of their own if there are several.
fn spread(
    queries: &[&[u8]],
    share: usize,
    width: usize,
    out: &mut [f32],
    work: impl Fn(&[&[u8]], &mut [f32]) + Sync,
) {
    if share >= queries.len() {
        work(queries, out);
        return;
    }
    std::thread::scope(|scope| {
        for (queries, out) in queries.chunks(share).zip(out.chunks_mut(share * width)) {
            scope.spawn(|| work(queries, out));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition by a table.
    fn model(left: &[u32], right: &[u32]) -> usize {
        let mut row: Vec<usize> = (0..=right.len()).collect();
        for (i, a) in left.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, b) in right.iter().enumerate() {
                let kept = diagonal + usize::from(a != b);
                diagonal = row[j + 1];
                row[j + 1] = kept.min(diagonal + 1).min(row[j] + 1);
            }
        }
        row[right.len()]
    }

    #[test]
    fn levenshtein_equals_its_table() {
        let mut seed = 5_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from((seed >> 33) % below).unwrap()
        };
        let alphabet: Vec<char> = "abcdü€x".chars().collect();
        let texts: Vec<String> = (0..60)
            .map(|_| {
                let bound = [5, 40, 70, 150][next(4)];
                let length = next(bound);
                (0..length).map(|_| alphabet[next(7)]).collect()
            })
            .collect();
        let slices: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let width = slices.len();
        let mut both = [vec![0_f32; width * width], vec![0_f32; width * width]];
        matrix(&slices, &slices, Metric::Levenshtein, 1, &mut both[0]);
        matrix(&slices, &slices, Metric::Levenshtein, 3, &mut both[1]);
        assert_eq!(both[0], both[1]);
        for (i, left) in slices.iter().enumerate() {
            let row = one_to_many(left, &slices, Metric::Levenshtein);
            for (j, right) in slices.iter().enumerate() {
                let (left, right) = (points(left), points(right));
                let expected = ratio(model(&left, &right), left.len().max(right.len()));
                assert!(
                    (row[j] - expected).abs() < 1e-12,
                    "{:?}",
                    (&texts[i], &texts[j])
                );
                #[expect(clippy::cast_possible_truncation, reason = "single precision")]
                let single = expected as f32;
                assert!((both[0][i * width + j] - single).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn known_answers() {
        let of = |left: &str, right: &str, metric| {
            one_to_many(left.as_bytes(), &[right.as_bytes()], metric)[0]
        };
        assert!((of("MARTHA", "MARHTA", Metric::JaroWinkler) - 0.961_111).abs() < 1e-6);
        assert!((of("DIXON", "DICKSONX", Metric::JaroWinkler) - 0.813_333).abs() < 1e-6);
        assert!((of("new york mets", "mets new york", Metric::TokenSet) - 1.0).abs() < 1e-12);
        assert!(of("", "", Metric::TokenSet) < 1e-12);
        assert!((of("", "", Metric::JaroWinkler) - 1.0).abs() < 1e-12);
    }
}
