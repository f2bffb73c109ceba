//! [`Cache`]: the store for keys that compare in Rust.

use super::store::{Found, Gone, Match, Stats, Store, Terms, tag_of_hash};
use super::{Bounds, Policy, checked_ttl};
use crate::Error;
use std::collections::hash_map::DefaultHasher;
use std::hash::{BuildHasher, BuildHasherDefault, Hash};

/// A bounded cache. Times are seconds of any clock that does not run backwards.
#[derive(Debug)]
pub struct Cache<K, V> {
    store: Store<K, V>,
    ttl: Option<f64>,
    // The same hash in every run: eviction must be reproducible.
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl<K: Hash + Eq, V> Cache<K, V> {
    /// Makes an empty cache of at most `maxsize` entries that live `ttl` seconds.
    ///
    /// # Errors
    /// [`Error::Maxsize`] or [`Error::Ttl`] for values out of range.
    pub fn new(maxsize: usize, policy: Policy, ttl: Option<f64>) -> Result<Self, Error> {
        Ok(Self {
            store: Store::new(Bounds::new(maxsize, None), policy, None)?,
            ttl: ttl.map(|ttl| checked_ttl("ttl", ttl)).transpose()?,
            hasher: BuildHasherDefault::default(),
        })
    }

    /// The value of `key` at time `now`, which counts as a use.
    pub fn get(&mut self, key: &K, now: f64) -> Option<&V> {
        let Found::Hit(index) = self.find(key) else {
            self.store.count_miss();
            return None;
        };
        if self.store.peek(index, now).is_none() {
            self.store.miss_late(index, &mut Gone::default());
            return None;
        }
        self.store.hit(index, now)
    }

    /// Stores `value`, for `ttl` seconds or else the cache's own time to live.
    ///
    /// # Errors
    /// [`Error::Ttl`] unless `ttl` is finite and above zero.
    pub fn set(&mut self, key: K, value: V, ttl: Option<f64>, now: f64) -> Result<(), Error> {
        let ttl = ttl
            .map(|ttl| checked_ttl("ttl", ttl))
            .transpose()?
            .or(self.ttl);
        let terms = Terms {
            expires: ttl.map_or(f64::INFINITY, |seconds| now + seconds),
            weight: 1,
            labels: &[],
        };
        let tag = tag_of_hash(self.hasher.hash_one(&key));
        let found = match self.find(&key) {
            Found::Hit(index) => Some(index),
            Found::Miss | Found::Unsure(_) => None,
        };
        let gone = &mut Gone::default();
        self.store.put(tag, found, || key, value, &terms, now, gone);
        Ok(())
    }

    /// Removes `key`; tells whether a live entry went.
    pub fn delete(&mut self, key: &K, now: f64) -> bool {
        match self.find(key) {
            Found::Hit(index) => self.store.remove(index, now, &mut Gone::default()),
            Found::Miss | Found::Unsure(_) => false,
        }
    }

    /// The live entries, soonest to be looked at for eviction first.
    pub fn iter(&self, now: f64) -> impl Iterator<Item = (&K, &V)> {
        self.store.iter(now)
    }

    /// Removes the entries whose time is up; returns how many.
    pub fn expire(&mut self, now: f64) -> usize {
        self.store.sweep(now, &mut Gone::default())
    }

    /// Removes all entries; the statistics stay.
    pub fn clear(&mut self) {
        self.store.clear(&mut Gone::default());
    }

    /// Entries stored, expired ones that nobody noticed yet included.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    /// Counts since the cache was made.
    pub fn stats(&self) -> Stats {
        self.store.stats()
    }

    fn find(&self, key: &K) -> Found {
        let tag = tag_of_hash(self.hasher.hash_one(key));
        let same = |stored: &K| if stored == key { Match::Yes } else { Match::No };
        self.store.find(tag, same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(cache: &Cache<u32, u32>) -> Vec<u32> {
        cache.iter(0.0).map(|(key, _)| *key).collect()
    }

    fn filled(maxsize: usize, policy: Policy, upto: u32) -> Cache<u32, u32> {
        let mut cache = Cache::new(maxsize, policy, None).unwrap();
        for key in 0..upto {
            cache.set(key, key, None, 0.0).unwrap();
        }
        cache
    }

    #[test]
    fn lru_evicts_the_least_recently_used() {
        let mut cache = filled(3, Policy::Lru, 3);
        assert_eq!(cache.get(&0, 0.0), Some(&0));
        cache.set(3, 3, None, 0.0).unwrap();
        assert_eq!(keys(&cache), [2, 0, 3]);
        assert_eq!(cache.stats().evictions, 1);
    }

    #[test]
    fn s3fifo_keeps_what_was_used_twice_through_a_scan() {
        let mut cache = filled(10, Policy::S3Fifo, 10);
        for _ in 0..2 {
            cache.get(&4, 0.0);
        }
        for key in 100..200 {
            cache.set(key, key, None, 0.0).unwrap();
        }
        assert_eq!(cache.get(&4, 0.0), Some(&4));
        assert_eq!(cache.get(&5, 0.0), None);
    }

    #[test]
    fn s3fifo_ghosts_return_to_the_main_queue() {
        let mut cache = filled(10, Policy::S3Fifo, 11); // evicts 0 from the small queue
        cache.set(0, 0, None, 0.0).unwrap(); // evicts 1
        assert_eq!(keys(&cache), [2, 3, 4, 5, 6, 7, 8, 9, 10, 0]);
        for key in 20..28 {
            cache.set(key, key, None, 0.0).unwrap();
        }
        assert_eq!(*keys(&cache).last().unwrap(), 0, "0 sits in the main queue");
    }

    #[test]
    fn an_entry_expires_at_its_deadline_and_counts_once() {
        let mut cache = Cache::new(4, Policy::Lru, Some(10.0)).unwrap();
        cache.set("a", 1, None, 0.0).unwrap();
        cache.set("b", 2, Some(1.0), 0.0).unwrap();
        assert_eq!(cache.get(&"a", 9.9), Some(&1));
        assert_eq!(cache.get(&"b", 1.0), None);
        assert_eq!(cache.stats().expirations, 1);
        assert_eq!(cache.expire(10.0), 1);
        assert!(!cache.delete(&"a", 10.0));
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        assert!(Cache::<u8, u8>::new(0, Policy::Lru, None).is_err());
        assert!(Cache::<u8, u8>::new(1, Policy::Lru, Some(0.0)).is_err());
        assert!("lifo".parse::<Policy>().is_err());
        let mut cache = Cache::new(1, Policy::Lru, None).unwrap();
        assert!(cache.set(1, 1, Some(f64::NAN), 0.0).is_err());
    }

    /// Against a model: a list in use order, for thousands of calls of a fixed mix.
    #[test]
    fn lru_equals_its_model() {
        let mut cache = Cache::new(7, Policy::Lru, None).unwrap();
        let mut model: Vec<u32> = Vec::new();
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = u32::try_from((seed >> 33) % 12).unwrap();
            let there = model.iter().position(|&known| known == key);
            match (seed >> 60) % 3 {
                0 => {
                    cache.set(key, key, None, 0.0).unwrap();
                    if let Some(at) = there {
                        model.remove(at);
                    } else if model.len() == 7 {
                        model.remove(0);
                    }
                    model.push(key);
                }
                1 => {
                    assert_eq!(cache.get(&key, 0.0).is_some(), there.is_some());
                    if let Some(at) = there {
                        model.remove(at);
                        model.push(key);
                    }
                }
                _ => {
                    assert_eq!(cache.delete(&key, 0.0), there.is_some());
                    model.retain(|&known| known != key);
                }
            }
            assert_eq!(keys(&cache), model);
        }
    }
}
