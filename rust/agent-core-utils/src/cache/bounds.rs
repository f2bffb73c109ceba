//! How much a cache may hold, and the shares of its queues.

use crate::Error;

/// The most entries that a cache may be asked to hold.
pub const MAXSIZE_LIMIT: usize = (1 << 31) - 1;
/// The most weight that a cache may be asked to hold.
pub const MAXWEIGHT_LIMIT: u64 = (1 << 62) - 1;

const SMALL_SHARE: usize = 10; // the small queue of S3-FIFO: a tenth
const WHOLE: usize = 1000; // shares of LFU are in thousandths
const PROTECTED: usize = 800; // of what the window leaves

/// The share of S3-FIFO's small queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct S3Fifo {
    pub(super) len: usize,
    pub(super) weight: u64,
}

/// The bounds of a store.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub(super) maxsize: usize,
    pub(super) maxweight: u64,
    pub(super) small: S3Fifo,
    pub(super) ghosts: usize,
}

impl Bounds {
    /// At most `maxsize` entries that weigh at most `maxweight` together.
    pub fn new(maxsize: usize, maxweight: Option<u64>) -> Self {
        let small = (maxsize / SMALL_SHARE).max(1);
        let tenth = |whole: u64| (whole / SMALL_SHARE as u64).max(1);
        Self {
            maxsize,
            maxweight: maxweight.unwrap_or(u64::MAX),
            small: S3Fifo {
                len: small,
                weight: maxweight.map_or(u64::MAX, tenth),
            },
            ghosts: maxsize.saturating_sub(small),
        }
    }

    /// Whether weights count.
    #[inline]
    pub fn weighted(&self) -> bool {
        self.maxweight != u64::MAX
    }

    /// The most entries.
    pub fn maxsize(&self) -> usize {
        self.maxsize
    }

    /// The most weight, if there is such a bound.
    pub fn maxweight(&self) -> Option<u64> {
        self.weighted().then_some(self.maxweight)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if !(1..=MAXSIZE_LIMIT).contains(&self.maxsize) {
            return Err(Error::Maxsize {
                limit: MAXSIZE_LIMIT,
                got: self.maxsize,
            });
        }
        if self.weighted() && !(1..=MAXWEIGHT_LIMIT).contains(&self.maxweight) {
            return Err(Error::Maxweight {
                limit: MAXWEIGHT_LIMIT,
                got: self.maxweight,
            });
        }
        Ok(())
    }

    /// What the window of LFU may hold.
    pub(super) fn window(&self, share: usize) -> (usize, u64) {
        let len = (self.maxsize * share / WHOLE).max(1);
        (len, self.part(share))
    }

    /// What the protected queue of LFU may hold.
    pub(super) fn protected(&self, window: usize) -> (usize, u64) {
        let share = (WHOLE - window) * PROTECTED / WHOLE;
        (self.maxsize * share / WHOLE, self.part(share))
    }

    fn part(&self, share: usize) -> u64 {
        if self.weighted() {
            (self.maxweight / WHOLE as u64 * share as u64).max(1)
        } else {
            u64::MAX
        }
    }
}

/// Checks a time to live, or another time of the `name` given.
///
/// # Errors
/// [`Error::Ttl`] unless it is finite and above zero.
pub fn checked_ttl(name: &'static str, seconds: f64) -> Result<f64, Error> {
    if seconds.is_finite() && seconds > 0.0 {
        Ok(seconds)
    } else {
        Err(Error::Ttl {
            name,
            got: seconds.to_string(),
        })
    }
}
