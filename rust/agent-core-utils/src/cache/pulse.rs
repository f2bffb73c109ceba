//! What the LFU policy knows of time: how old a use is, and whether recency would serve better.
//!
//! Time is counted in uses. From how long ago each used key was last used follows how often a
//! plain LRU of the same size would have hit: the distinct keys among the latest T uses grow by
//! the share of uses that look back further than T ("The working set model", Denning 1968), so
//! the T at which they fill the cache tells which uses LRU would have served. Where that beats
//! what was served, the window of the newest grows; otherwise it shrinks.

use super::Policy;

const TICKS: u64 = 16; // in as many uses as there are entries
const SPAN: usize = 128; // ticks that are told apart
const PERIOD: u64 = 8; // ticks between two judgments
const AGING: u64 = 160; // ticks after which frequencies are halved
const UNIT: u64 = 1024; // what one use counts, so that halving it loses nothing that matters
const GAIN: u64 = 5; // thousandths of the uses by which LRU must be better

const STAMP: u32 = (1 << 24) - 1;
const NOTE: u64 = (1 << 12) - 1;

/// The least share of the window, in thousandths.
pub(super) const LEAST: usize = 10;
const MOST: usize = 990;
const MOST_LFU: usize = 500;

/// The clock and the histogram.
#[derive(Debug)]
pub(super) struct Pulse {
    now: u64,
    within: u64, // uses in this tick
    ages: [u64; SPAN + 1],
    total: u64,
    served: u64,
    pub(super) share: usize, // of the window, in thousandths
    most: usize,
}

impl Pulse {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            now: 0,
            within: 0,
            ages: [0; SPAN + 1],
            total: 0,
            served: 0,
            share: LEAST,
            most: if policy == Policy::Auto {
                MOST
            } else {
                MOST_LFU
            },
        }
    }

    /// When it is, for a slot.
    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    pub(super) fn stamp(&self) -> u32 {
        (self.now as u32) & STAMP
    }

    /// Ticks since a stamp.
    pub(super) fn since(&self, stamp: u32) -> u64 {
        u64::from(self.stamp().wrapping_sub(stamp) & STAMP)
    }

    /// What a frequency of so many ticks ago is worth.
    pub(super) fn aged(&self, frequency: u32, ticks: u64) -> u32 {
        let halvings = self.now / AGING - self.now.saturating_sub(ticks) / AGING;
        frequency >> halvings.min(15)
    }

    /// Frequency and time of last use, for a ghost.
    #[expect(clippy::cast_possible_truncation, reason = "masked")]
    pub(super) fn note(&self, frequency: u32, ticks: u64) -> u16 {
        (((self.now.wrapping_sub(ticks) & NOTE) << 4) as u16) | (frequency as u16 & 0xF)
    }

    /// Frequency by today's measure, and ticks since its last use, of a ghost.
    pub(super) fn read(&self, note: u16) -> (u32, u64) {
        let ticks = (self.now.wrapping_sub(u64::from(note >> 4))) & NOTE;
        (self.aged(u32::from(note & 0xF), ticks), ticks)
    }

    /// Counts a use of a key that was last used `ticks` ago, if that is known.
    pub(super) fn beat(&mut self, ticks: Option<u64>, served: bool, entries: usize) {
        let age = ticks.and_then(|ticks| usize::try_from(ticks).ok());
        self.ages[age.unwrap_or(SPAN).min(SPAN)] += UNIT;
        self.total += UNIT;
        self.served += UNIT * u64::from(served);
        self.within += 1;
        let length = (entries as u64 / TICKS).max(1);
        if self.within >= length {
            self.within = 0;
            self.now += 1;
            if self.now.is_multiple_of(PERIOD) {
                self.judge(entries as u64, length);
            }
        }
    }

    fn judge(&mut self, entries: u64, length: u64) {
        let mut older = self.total; // uses that look back at least as far as `age`
        let mut distinct = 0; // up to the span's times all uses: no bound of 64 bits holds it
        for age in 0..SPAN {
            distinct += u128::from(older) * u128::from(length);
            older -= self.ages[age];
            if distinct >= u128::from(entries) * u128::from(self.total) {
                break;
            }
        }
        let recent = self.total - older;
        if recent * 1000 > self.served * 1000 + self.total * GAIN {
            self.share = (self.share * 3 / 2 + 20).min(self.most);
        } else {
            self.share = (self.share * 19 / 20).max(LEAST);
        }
        for age in &mut self.ages {
            *age /= 2;
        }
        self.total = self.ages.iter().sum();
        self.served /= 2;
    }
}
