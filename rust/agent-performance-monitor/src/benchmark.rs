//! A small benchmark harness: how long a call takes, by statistics that outliers don't move.

use std::time::Instant;

/// What the rounds of a benchmark say. All times are seconds per call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// How many rounds were measured.
    pub rounds: usize,
    /// The middle round.
    pub median: f64,
    /// 95 of 100 rounds take at most this (nearest rank).
    pub p95: f64,
    /// Median absolute deviation from the median, unscaled: how much rounds differ.
    pub mad: f64,
    /// The fastest round.
    pub min: f64,
    /// The slowest round.
    pub max: f64,
    /// The arithmetic mean.
    pub mean: f64,
}

/// Why there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BenchmarkError {
    /// No round, or no call in a round.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    /// A sample that isn't a number.
    #[error("sample {0} is not a finite number")]
    NotFinite(usize),
}

/// The statistics of measured times.
///
/// # Errors
/// When there are no samples or one isn't finite.
pub fn statistics(samples: &[f64]) -> Result<Statistics, BenchmarkError> {
    if samples.is_empty() {
        return Err(BenchmarkError::Zero("rounds"));
    }
    if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
        return Err(BenchmarkError::NotFinite(index));
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = median(&sorted);
    let mut deviations: Vec<f64> = sorted.iter().map(|one| (one - middle).abs()).collect();
    deviations.sort_by(f64::total_cmp);
    // Nearest rank without floats: ceil(0.95 n).
    let rank = (sorted.len() * 95).div_ceil(100);
    Ok(Statistics {
        rounds: sorted.len(),
        median: middle,
        p95: sorted[rank - 1],
        mad: median(&deviations),
        min: sorted[0],
        max: sorted[sorted.len() - 1],
        mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
    })
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

/// Measures `call`: `warmup` rounds unmeasured, then `rounds` rounds of `inner` calls each.
/// Take an `inner` above 1 for calls of less than some microseconds.
///
/// # Errors
/// When `rounds` or `inner` is 0, or what `call` returns first.
pub fn benchmark<E: From<BenchmarkError>>(
    rounds: usize,
    warmup: usize,
    inner: u32,
    mut call: impl FnMut() -> Result<(), E>,
) -> Result<Statistics, E> {
    if rounds == 0 {
        return Err(BenchmarkError::Zero("rounds").into());
    }
    if inner == 0 {
        return Err(BenchmarkError::Zero("inner").into());
    }
    let mut samples = Vec::with_capacity(rounds);
    for round in 0..warmup + rounds {
        let begin = Instant::now();
        for _ in 0..inner {
            call()?;
        }
        let seconds = begin.elapsed().as_secs_f64() / f64::from(inner);
        if round >= warmup {
            samples.push(seconds);
        }
    }
    Ok(statistics(&samples)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp)] // these are exact
    fn statistics_are_those_of_the_book() {
        let of = statistics(&[4.0, 1.0, 3.0, 2.0, 100.0]).unwrap();
        assert_eq!(
            (
                of.rounds, of.median, of.p95, of.mad, of.min, of.max, of.mean
            ),
            (5, 3.0, 100.0, 1.0, 1.0, 100.0, 22.0)
        );
        assert_eq!(statistics(&[1.0, 2.0]).unwrap().median, 1.5);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(statistics(&hundred).unwrap().p95, 95.0);
        assert_eq!(statistics(&[]), Err(BenchmarkError::Zero("rounds")));
        assert_eq!(
            statistics(&[1.0, f64::NAN]),
            Err(BenchmarkError::NotFinite(1))
        );
    }

    #[test]
    fn calls_are_counted_and_timed() {
        let mut calls = 0;
        let of = benchmark::<BenchmarkError>(5, 2, 3, || {
            calls += 1;
            std::thread::sleep(std::time::Duration::from_millis(1));
            Ok(())
        })
        .unwrap();
        assert_eq!((calls, of.rounds), (21, 5));
        assert!(of.min >= 0.001 && of.median >= of.min && of.p95 <= of.max);
        let wrong = benchmark::<BenchmarkError>(1, 0, 0, || Ok(()));
        assert_eq!(wrong, Err(BenchmarkError::Zero("inner")));
    }
}
