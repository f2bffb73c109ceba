//! The entries, found by tag, in the order of their queues.
//!
//! Removed keys and values are handed out, never dropped in here: dropping a Python object
//! may run code that calls the cache again.

use super::ghost::Ghost;
use super::pulse::Pulse;
use super::queue::{NONE, Queue, Slot, push_back, unlink};
use super::table::Table;
use super::tags::Labels;
use super::{Bounds, Policy};
use crate::Error;
use std::sync::Arc;

/// Whether a stored key is the one looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Telling needs work that must not be done while the store is borrowed.
    Unsure,
}

/// What a search by tag found. An index is good until the store changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The entry, by its index.
    Hit(u32),
    /// Nothing.
    Miss,
    /// An entry of the same tag whose key the caller must compare, then search again.
    Unsure(u32),
}

/// Counts since the store was made, and how full it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Look-ups that found a live entry.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Entries that the policy removed for lack of room.
    pub evictions: u64,
    /// Entries that were removed because their time was up.
    pub expirations: u64,
    /// Entries that were not kept because one alone outweighs the bound.
    pub rejections: u64,
}

/// What an entry is stored with.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// When it expires; infinity for never.
    pub expires: f64,
    /// What it counts against the bound by weight.
    pub weight: u64,
    /// The labels by which it may be invalidated.
    pub labels: &'a [Arc<str>],
}

/// What is to be saved of an entry beside its key and value.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    /// Its terms.
    pub terms: Terms<'a>,
    /// When it expires unless it is used; infinity for never.
    pub idle: f64,
    /// The number of its queue, 0 to 2.
    pub queue: usize,
    /// How often it was used lately, 0 to 15.
    pub frequency: u32,
}

/// What left the store, to be dropped when nothing is borrowed.
///
/// The first of each kind needs no memory of its own, for most calls remove one at most.
#[derive(Debug)]
pub struct Gone<K, V> {
    entry: Option<(K, V)>,
    value: Option<V>,
    entries: Vec<(K, V)>,
    values: Vec<V>,
}

impl<K, V> Default for Gone<K, V> {
    fn default() -> Self {
        Self {
            entry: None,
            value: None,
            entries: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<K, V> Gone<K, V> {
    #[inline]
    pub(super) fn push(&mut self, entry: Option<(K, V)>) {
        if self.entry.is_none() {
            self.entry = entry;
        } else {
            self.entries.extend(entry);
        }
    }

    #[inline]
    pub(super) fn push_value(&mut self, value: V) {
        if self.value.is_none() {
            self.value = Some(value);
        } else {
            self.values.push(value);
        }
    }

    /// Hands everything to `one`, value by value and key by key; keeps the memory for later.
    pub fn drain(&mut self, mut key: impl FnMut(K), mut value: impl FnMut(V)) {
        for (old, held) in self.entry.take().into_iter().chain(self.entries.drain(..)) {
            key(old);
            value(held);
        }
        for held in self.value.take().into_iter().chain(self.values.drain(..)) {
            value(held);
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    expires: f64,
    idle: f64,
}

const NEVER: Times = Times {
    expires: f64::INFINITY,
    idle: f64::INFINITY,
};

/// A bounded set of entries under a [`Policy`]; see the module for its division of labor.
#[derive(Debug)]
pub struct Store<K, V> {
    pub(super) slots: Vec<Slot<K, V>>,
    free: u32,
    pub(super) table: Table,
    pub(super) queues: [Queue; 3],
    pub(super) ghost: Ghost,
    pub(super) policy: Policy,
    pub(super) bounds: Bounds,
    pub(super) pulse: Box<Pulse>,
    tti: f64,
    times: Vec<Times>, // one a slot, once something can expire
    weights: Vec<u64>, // one a slot, if there is a bound by weight
    labels: Labels,
    pub(super) stats: Stats,
}

/// The tag of a hash: its bits well mixed, for Python's hash of an int is the int.
#[inline]
pub fn tag_of_hash(hash: u64) -> u32 {
    ((hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

impl<K, V> Store<K, V> {
    /// Makes an empty store; entries expire when they were not used for `tti` seconds.
    ///
    /// # Errors
    /// [`Error::Maxsize`] or [`Error::Maxweight`] for a bound out of range, [`Error::Ttl`] for
    /// a time that is not above zero and finite.
    pub fn new(bounds: Bounds, policy: Policy, tti: Option<f64>) -> Result<Self, Error> {
        bounds.check()?;
        let tti = tti.map(|seconds| super::checked_ttl("tti", seconds));
        Ok(Self {
            slots: Vec::new(),
            free: NONE,
            table: Table::new(),
            queues: [Queue::EMPTY; 3],
            ghost: Ghost::new(),
            policy,
            bounds,
            pulse: Box::new(Pulse::new(policy)),
            tti: tti.transpose()?.unwrap_or(f64::INFINITY),
            times: Vec::new(),
            weights: Vec::new(),
            labels: Labels::default(),
            stats: Stats::default(),
        })
    }

    /// Entries stored, expired ones that nobody noticed yet included.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// What the entries weigh together; 0 without a bound by weight.
    pub fn weight(&self) -> u64 {
        self.queues.iter().map(|queue| queue.weight).sum()
    }

    /// The statistics so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Searches by tag; `matches` compares a stored key and must not reach this store.
    #[inline]
    pub fn find(&self, tag: u32, mut matches: impl FnMut(&K) -> Match) -> Found {
        let mut unsure = NONE;
        let hit = self.table.find(tag, |index| {
            let slot = &self.slots[index as usize];
            match slot.entry.as_ref().map(|(key, _)| matches(key)) {
                Some(Match::Yes) => true,
                Some(Match::Unsure) => {
                    unsure = index;
                    false
                }
                Some(Match::No) | None => false,
            }
        });
        match hit {
            Some(index) => Found::Hit(index),
            None if unsure == NONE => Found::Miss,
            None => Found::Unsure(unsure),
        }
    }

    /// The key of an entry.
    pub fn key(&self, index: u32) -> Option<&K> {
        self.slots
            .get(index as usize)?
            .entry
            .as_ref()
            .map(|entry| &entry.0)
    }

    /// The value of a live entry; counts no use.
    pub fn peek(&self, index: u32, now: f64) -> Option<&V> {
        if self.is_late(index, now) {
            return None;
        }
        self.slots
            .get(index as usize)?
            .entry
            .as_ref()
            .map(|entry| &entry.1)
    }

    /// Looks a live entry up, a use and a hit; nothing happens and comes back where its time
    /// is up: then [`Self::miss_late`] is due.
    #[expect(clippy::inline_always, reason = "a third of a look-up; measured")]
    #[inline(always)]
    pub fn hit(&mut self, index: u32, now: f64) -> Option<&V> {
        if !self.times.is_empty() && !self.renew_time(index, now) {
            return None;
        }
        self.stats.hits += 1;
        self.touch(index);
        let entry = self.slots[index as usize].entry.as_ref();
        entry.map(|entry| &entry.1)
    }

    /// Removes an entry whose time is up, for a look-up that thereby missed.
    #[cold]
    pub fn miss_late(&mut self, index: u32, gone: &mut Gone<K, V>) {
        self.stats.misses += 1;
        gone.push(self.take_late(index));
    }

    /// Counts a look-up that found nothing.
    #[inline]
    pub fn count_miss(&mut self) {
        self.stats.misses += 1;
    }

    /// Uses a live entry that is set to the value it has, on plain terms; tells whether that
    /// was all there was to do.
    #[inline]
    pub fn renew(&mut self, index: u32, same: impl FnOnce(&V) -> bool) -> bool {
        let slot = &self.slots[index as usize];
        let plain = self.times.is_empty() && !self.bounds.weighted() && !slot.labeled();
        let known = plain && slot.entry.as_ref().is_some_and(|entry| same(&entry.1));
        if known {
            self.touch(index);
        }
        known
    }

    /// Stores a pair: anew, or in place of the value found at `found`.
    #[expect(
        clippy::too_many_arguments,
        reason = "a pair, where, how, when, and what goes"
    )]
    pub fn put(
        &mut self,
        tag: u32,
        found: Option<u32>,
        key: impl FnOnce() -> K,
        value: V,
        terms: &Terms<'_>,
        now: f64,
        gone: &mut Gone<K, V>,
    ) {
        let live = found.filter(|&index| {
            let late = self.is_late(index, now);
            if late {
                gone.push(self.take_late(index));
            }
            !late
        });
        if self.bounds.weighted() && terms.weight > self.bounds.maxweight {
            self.stats.rejections += 1;
            gone.push(live.and_then(|index| self.take(index)));
            gone.push_value(value);
            return;
        }
        let Some(index) = live else {
            self.insert(tag, key(), value, terms, now, gone);
            return;
        };
        if let Some((_, stored)) = &mut self.slots[index as usize].entry {
            gone.push_value(std::mem::replace(stored, value));
        }
        self.label(index, terms.labels);
        self.set_times(index, terms.expires);
        self.renew_time(index, now);
        self.touch(index);
        if self.bounds.weighted() && self.weights[index as usize] != terms.weight {
            self.reweigh(index, terms.weight, gone);
        }
    }

    /// Removes an entry; tells whether it was live.
    pub fn remove(&mut self, index: u32, now: f64, gone: &mut Gone<K, V>) -> bool {
        let late = self.is_late(index, now);
        self.stats.expirations += u64::from(late);
        gone.push(self.take(index));
        !late
    }

    /// Removes all entries with a label; returns how many live ones went.
    pub fn invalidate(&mut self, label: &str, now: f64, gone: &mut Gone<K, V>) -> usize {
        let slots = self.labels.with(label);
        slots
            .into_iter()
            .filter(|&index| self.remove(index, now, gone))
            .count()
    }

    /// Removes all entries whose time is up; returns how many.
    pub fn sweep(&mut self, now: f64, gone: &mut Gone<K, V>) -> usize {
        let late: Vec<u32> = self
            .indices()
            .filter(|&index| self.is_late(index, now))
            .collect();
        for &index in &late {
            self.remove(index, now, gone);
        }
        late.len()
    }

    /// Removes all entries and forgets what the policy remembers; the counts stay.
    pub fn clear(&mut self, gone: &mut Gone<K, V>) {
        let slots = std::mem::take(&mut self.slots);
        gone.entries
            .extend(slots.into_iter().filter_map(|slot| slot.entry));
        self.free = NONE;
        self.table.clear();
        self.queues = [Queue::EMPTY; 3];
        self.ghost.clear();
        self.labels = Labels::default();
        (self.times, self.weights) = (Vec::new(), Vec::new());
        *self.pulse = Pulse::new(self.policy);
    }

    /// The live entries in queue order: the first queue, then the others, oldest first.
    pub fn iter(&self, now: f64) -> impl Iterator<Item = (&K, &V)> {
        self.saved(now).map(|(key, value, _)| (key, value))
    }

    /// The live entries in queue order, with all that belongs to them.
    pub fn saved(&self, now: f64) -> impl Iterator<Item = (&K, &V, Saved<'_>)> {
        let live = self
            .indices()
            .filter(move |&index| !self.is_late(index, now));
        live.filter_map(|index| {
            let slot = &self.slots[index as usize];
            let times = self.times.get(index as usize).copied().unwrap_or(NEVER);
            let saved = Saved {
                terms: Terms {
                    expires: times.expires,
                    weight: self.weight_of(index),
                    labels: self.labels.of(index),
                },
                idle: times.idle,
                queue: slot.queue(),
                frequency: self.aged(slot),
            };
            slot.entry.as_ref().map(|(key, value)| (key, value, saved))
        })
    }

    /// Puts a saved entry at the end of its queue, without evicting: for an empty store.
    pub fn adopt(&mut self, tag: u32, key: K, value: V, saved: &Saved<'_>) {
        let index = self.enter(tag, key, value, &saved.terms, saved.queue.min(2));
        if saved.idle.is_finite() {
            self.set_times(index, saved.terms.expires);
            self.times[index as usize].idle = saved.idle;
        }
        let slot = &mut self.slots[index as usize];
        slot.set_frequency(saved.frequency.min(15));
    }

    fn indices(&self) -> impl Iterator<Item = u32> {
        self.queues.iter().flat_map(|queue| {
            let first = Some(queue.head).filter(|&index| index != NONE);
            std::iter::successors(first, |&index| {
                Some(self.slots[index as usize].next).filter(|&next| next != NONE)
            })
        })
    }

    /// Whether the time of an entry is up.
    #[inline]
    pub fn is_late(&self, index: u32, now: f64) -> bool {
        let times = self.times.get(index as usize);
        times.is_some_and(|times| times.expires <= now || times.idle <= now)
    }

    fn take_late(&mut self, index: u32) -> Option<(K, V)> {
        self.stats.expirations += 1;
        self.take(index)
    }

    /// Moves the time to idle of a live entry; false if it is late.
    fn renew_time(&mut self, index: u32, now: f64) -> bool {
        let tti = self.tti;
        let Some(times) = self.times.get_mut(index as usize) else {
            return true;
        };
        if times.expires <= now || times.idle <= now {
            return false;
        }
        if tti.is_finite() {
            times.idle = now + tti;
        }
        true
    }

    fn insert(
        &mut self,
        tag: u32,
        key: K,
        value: V,
        terms: &Terms<'_>,
        now: f64,
        gone: &mut Gone<K, V>,
    ) {
        self.make_room(terms.weight, gone);
        let (queue, frequency) = self.entrance(tag);
        let index = self.enter(tag, key, value, terms, queue);
        if self.tti.is_finite() {
            self.set_times(index, terms.expires);
            self.times[index as usize].idle = now + self.tti;
        }
        if frequency > 0 {
            let stamp = self.pulse.stamp();
            let slot = &mut self.slots[index as usize];
            slot.set_frequency(frequency);
            slot.set_stamp(stamp);
            self.settle();
        }
    }

    /// Fills a slot and appends it to a queue.
    #[inline]
    fn enter(&mut self, tag: u32, key: K, value: V, terms: &Terms<'_>, queue: usize) -> u32 {
        let slot = Slot::new(tag, key, value);
        let index = self.free;
        let index = if index == NONE {
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE) // bounded by MAXSIZE_LIMIT
        } else {
            let place = &mut self.slots[index as usize];
            self.free = place.next;
            *place = slot;
            index
        };
        if self.bounds.weighted() {
            self.weights.resize(self.slots.len(), 0);
            self.weights[index as usize] = terms.weight;
        }
        self.label(index, terms.labels);
        self.set_times(index, terms.expires);
        self.table.insert(tag, index);
        let weight = if self.bounds.weighted() {
            terms.weight
        } else {
            0
        };
        push_back(&mut self.queues, &mut self.slots, index, queue, weight);
        index
    }

    #[inline]
    fn set_times(&mut self, index: u32, expires: f64) {
        if self.times.is_empty() && expires.is_infinite() && self.tti.is_infinite() {
            return;
        }
        if self.times.len() < self.slots.len() {
            self.times.resize(self.slots.len(), NEVER);
        }
        self.times[index as usize] = Times {
            expires,
            idle: f64::INFINITY,
        };
    }

    fn label(&mut self, index: u32, labels: &[Arc<str>]) {
        let slot = &mut self.slots[index as usize];
        if slot.labeled() {
            self.labels.detach(index);
        }
        slot.set_labeled(!labels.is_empty());
        if !labels.is_empty() {
            self.labels.attach(index, labels);
        }
    }

    #[inline]
    pub(super) fn weight_of(&self, index: u32) -> u64 {
        self.weights.get(index as usize).copied().unwrap_or(0)
    }

    /// Gives an entry another weight. One that got heavier is taken out, room is made, and it
    /// is put back at the end of its queue.
    fn reweigh(&mut self, index: u32, weight: u64, gone: &mut Gone<K, V>) {
        let old = self.weight_of(index);
        let queue = self.slots[index as usize].queue();
        if weight < old {
            self.queues[queue].weight -= old - weight;
            self.weights[index as usize] = weight;
            return;
        }
        unlink(&mut self.queues, &mut self.slots, index, old);
        self.make_room(weight, gone);
        self.weights[index as usize] = weight;
        push_back(&mut self.queues, &mut self.slots, index, queue, weight);
        self.settle();
    }

    pub(super) fn take(&mut self, index: u32) -> Option<(K, V)> {
        let weight = self.weight_of(index);
        let slot = &mut self.slots[index as usize];
        let entry = slot.entry.take()?;
        let tag = slot.tag;
        if slot.labeled() {
            self.labels.detach(index);
        }
        self.table.remove(tag, index);
        unlink(&mut self.queues, &mut self.slots, index, weight);
        self.slots[index as usize].next = self.free;
        self.free = index;
        Some(entry)
    }
}
