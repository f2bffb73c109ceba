//! The entries, found by hash, in the order of their queues.
//!
//! Removed keys and values are handed out, never dropped in here: dropping a Python object
//! may run code that calls the cache again.

use super::Policy;
use super::ghost::Ghost;
use super::queue::{Link, Links, NONE, Queue};
use crate::Error;
use hashbrown::HashTable;

/// The most entries that a cache may be asked to hold.
pub const MAXSIZE_LIMIT: usize = (1 << 31) - 1;

const FREQUENCY_CAP: u8 = 3;
const SMALL_SHARE: usize = 10; // the small queue's share is a tenth
const PROMOTE_ABOVE: u8 = 1; // uses in the small queue that earn a place in the main one
const SMALL: u8 = 0;
const MAIN: u8 = 1;

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

/// A reference to a stored entry that notices when the entry has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    index: u32,
    generation: u32,
}

/// What a search by hash found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The entry.
    Hit(Ticket),
    /// Nothing.
    Miss,
    /// Entries of the same hash whose keys the caller must compare.
    Unsure(Vec<Ticket>),
}

/// What became of a look-up by ticket.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<'a, K, V> {
    /// The entry is live; here is its value.
    Live(&'a V),
    /// The entry was expired and has been removed; drop it when nothing is borrowed.
    Expired(K, V),
    /// The entry has gone since the ticket was given.
    Gone,
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
    /// Entries stored now, expired ones that nobody noticed yet included.
    pub size: usize,
    /// The most entries possible.
    pub maxsize: usize,
}

#[derive(Debug)]
struct Slot<K, V> {
    entry: Option<(K, V)>,
    hash: u64,
    expires: f64,
    link: Link,
    generation: u32,
    frequency: u8,
    queue: u8,
}

impl<K, V> Links for Vec<Slot<K, V>> {
    fn link(&mut self, index: u32) -> &mut Link {
        &mut self[index as usize].link
    }
}

/// A bounded set of entries under a [`Policy`]; see the module for its division of labor.
#[derive(Debug)]
pub struct Store<K, V> {
    slots: Vec<Slot<K, V>>,
    free: Vec<u32>,
    table: HashTable<u32>,
    queues: [Queue; 2],
    ghost: Ghost,
    policy: Policy,
    small_share: usize,
    stats: Stats,
}

/// Spreads a hash over all bits: Python's hash of an int is the int.
fn spread(hash: u64) -> u64 {
    let mixed = hash.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 32)
}

/// Checks a time to live.
///
/// # Errors
/// [`Error::Ttl`] unless it is finite and above zero.
pub fn checked_ttl(seconds: f64) -> Result<f64, Error> {
    if seconds.is_finite() && seconds > 0.0 {
        Ok(seconds)
    } else {
        Err(Error::Ttl(seconds.to_string()))
    }
}

impl<K, V> Store<K, V> {
    /// Makes an empty store of at most `maxsize` entries.
    ///
    /// # Errors
    /// [`Error::Maxsize`] unless `maxsize` is from 1 to [`MAXSIZE_LIMIT`].
    pub fn new(maxsize: usize, policy: Policy) -> Result<Self, Error> {
        if !(1..=MAXSIZE_LIMIT).contains(&maxsize) {
            return Err(Error::Maxsize {
                limit: MAXSIZE_LIMIT,
                got: maxsize,
            });
        }
        let small_share = (maxsize / SMALL_SHARE).max(1);
        Ok(Self {
            slots: Vec::new(),
            free: Vec::new(),
            table: HashTable::new(),
            queues: [Queue::EMPTY; 2],
            ghost: Ghost::new(maxsize - small_share),
            policy,
            small_share,
            stats: Stats {
                maxsize,
                ..Stats::default()
            },
        })
    }

    /// Entries stored, expired ones that nobody noticed yet included.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The statistics so far.
    pub fn stats(&self) -> Stats {
        Stats {
            size: self.len(),
            ..self.stats
        }
    }

    /// Searches by hash; `matches` compares a stored key and must not reach this store.
    #[inline]
    pub fn find(&self, hash: u64, mut matches: impl FnMut(&K) -> Match) -> Found {
        let mut unsure = Vec::new();
        let hit = self.table.find(spread(hash), |&index| {
            let slot = &self.slots[index as usize];
            if slot.hash != hash {
                return false;
            }
            match slot.entry.as_ref().map(|(key, _)| matches(key)) {
                Some(Match::Yes) => true,
                Some(Match::Unsure) => {
                    unsure.push(self.ticket(index));
                    false
                }
                Some(Match::No) | None => false,
            }
        });
        match hit {
            Some(&index) => Found::Hit(self.ticket(index)),
            None if unsure.is_empty() => Found::Miss,
            None => Found::Unsure(unsure),
        }
    }

    /// The key of a ticket, or `None` when the entry has gone.
    pub fn key(&self, ticket: Ticket) -> Option<&K> {
        let slot = &self.slots[ticket.index as usize];
        let entry = slot.entry.as_ref()?;
        (slot.generation == ticket.generation).then_some(&entry.0)
    }

    /// The value of a live entry; counts no use.
    pub fn peek(&self, ticket: Ticket, now: f64) -> Option<&V> {
        let slot = &self.slots[ticket.index as usize];
        let entry = slot.entry.as_ref()?;
        (slot.generation == ticket.generation && slot.expires > now).then_some(&entry.1)
    }

    /// Looks an entry up: a use and a hit, or its expiry and a miss.
    #[inline]
    pub fn read(&mut self, ticket: Ticket, now: f64) -> Outcome<'_, K, V> {
        if self.key(ticket).is_none() {
            return Outcome::Gone;
        }
        if self.slots[ticket.index as usize].expires <= now {
            self.stats.misses += 1;
            return match self.take_expired(ticket) {
                Some((key, value)) => Outcome::Expired(key, value),
                None => Outcome::Gone,
            };
        }
        self.stats.hits += 1;
        self.touch(ticket.index);
        match &self.slots[ticket.index as usize].entry {
            Some((_, value)) => Outcome::Live(value),
            None => Outcome::Gone,
        }
    }

    /// Counts a look-up that found nothing.
    pub fn count_miss(&mut self) {
        self.stats.misses += 1;
    }

    /// Gives a live entry a new value and deadline, which is a use.
    ///
    /// # Errors
    /// Hands `value` back when the entry has gone.
    pub fn replace(&mut self, ticket: Ticket, value: V, expires: f64) -> Result<V, V> {
        let slot = &mut self.slots[ticket.index as usize];
        let live = slot.generation == ticket.generation;
        let Some((_, stored)) = slot.entry.as_mut().filter(|_| live) else {
            return Err(value);
        };
        slot.expires = expires;
        let old = std::mem::replace(stored, value);
        self.touch(ticket.index);
        Ok(old)
    }

    /// Whether the entry is there and its time is up.
    pub fn is_expired(&self, ticket: Ticket, now: f64) -> bool {
        self.key(ticket).is_some() && self.slots[ticket.index as usize].expires <= now
    }

    /// Stores a key that is not in yet; entries that had to go are pushed to `evicted`.
    pub fn insert(&mut self, hash: u64, key: K, value: V, expires: f64, evicted: &mut Vec<(K, V)>) {
        while self.len() >= self.stats.maxsize {
            self.evict(evicted);
        }
        let recalled = self.policy == Policy::S3Fifo && self.ghost.recall(hash);
        let queue = if recalled { MAIN } else { SMALL };
        let slot = Slot {
            entry: Some((key, value)),
            hash,
            expires,
            link: Link::LOOSE,
            generation: 0,
            frequency: 0,
            queue,
        };
        let index = if let Some(index) = self.free.pop() {
            let place = &mut self.slots[index as usize];
            let generation = place.generation;
            *place = Slot { generation, ..slot };
            index
        } else {
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE) // bounded by MAXSIZE_LIMIT
        };
        let slots = &self.slots;
        self.table.insert_unique(spread(hash), index, |&other| {
            spread(slots[other as usize].hash)
        });
        self.queues[usize::from(queue)].push_back(&mut self.slots, index);
    }

    /// Removes an entry, if it has not gone.
    pub fn remove(&mut self, ticket: Ticket) -> Option<(K, V)> {
        self.key(ticket)?;
        self.take(ticket.index)
    }

    /// Removes an entry whose time is up and counts that.
    pub fn take_expired(&mut self, ticket: Ticket) -> Option<(K, V)> {
        let entry = self.remove(ticket)?;
        self.stats.expirations += 1;
        Some(entry)
    }

    /// Removes all entries whose time is up.
    pub fn sweep(&mut self, now: f64) -> Vec<(K, V)> {
        let late: Vec<u32> = self
            .indices()
            .filter(|&index| self.slots[index as usize].expires <= now)
            .collect();
        self.stats.expirations += late.len() as u64;
        late.into_iter()
            .filter_map(|index| self.take(index))
            .collect()
    }

    /// Removes all entries and forgets the ghosts; the counts stay.
    pub fn clear(&mut self) -> Vec<(K, V)> {
        let all: Vec<u32> = self.indices().collect();
        self.ghost.clear();
        all.into_iter()
            .filter_map(|index| self.take(index))
            .collect()
    }

    /// The live entries in queue order: the small queue, then the main one, oldest first.
    pub fn iter(&self, now: f64) -> impl Iterator<Item = (&K, &V)> {
        self.indices().filter_map(move |index| {
            let slot = &self.slots[index as usize];
            let (key, value) = slot.entry.as_ref()?;
            (slot.expires > now).then_some((key, value))
        })
    }

    fn indices(&self) -> impl Iterator<Item = u32> {
        self.queues.iter().flat_map(|queue| {
            let first = Some(queue.head).filter(|&index| index != NONE);
            std::iter::successors(first, |&index| {
                Some(self.slots[index as usize].link.next).filter(|&next| next != NONE)
            })
        })
    }

    fn ticket(&self, index: u32) -> Ticket {
        Ticket {
            index,
            generation: self.slots[index as usize].generation,
        }
    }

    #[inline]
    fn touch(&mut self, index: u32) {
        match self.policy {
            Policy::S3Fifo => {
                let slot = &mut self.slots[index as usize];
                slot.frequency = (slot.frequency + 1).min(FREQUENCY_CAP);
            }
            Policy::Lru => self.requeue(index, SMALL),
        }
    }

    /// Moves a slot to the end of a queue.
    fn requeue(&mut self, index: u32, to: u8) {
        let from = std::mem::replace(&mut self.slots[index as usize].queue, to);
        self.queues[usize::from(from)].unlink(&mut self.slots, index);
        self.queues[usize::from(to)].push_back(&mut self.slots, index);
    }

    fn take(&mut self, index: u32) -> Option<(K, V)> {
        let slot = &mut self.slots[index as usize];
        let entry = slot.entry.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        let (hash, queue) = (slot.hash, slot.queue);
        if let Ok(found) = self.table.find_entry(spread(hash), |&other| other == index) {
            found.remove();
        }
        self.queues[usize::from(queue)].unlink(&mut self.slots, index);
        self.free.push(index);
        Some(entry)
    }

    fn evict(&mut self, evicted: &mut Vec<(K, V)>) {
        let victim = match self.policy {
            Policy::Lru => self.queues[usize::from(SMALL)].head,
            Policy::S3Fifo => self.s3fifo_victim(),
        };
        if victim == NONE {
            return;
        }
        let slot = &self.slots[victim as usize];
        if self.policy == Policy::S3Fifo && slot.queue == SMALL {
            self.ghost.remember(slot.hash);
        }
        evicted.extend(self.take(victim));
        self.stats.evictions += 1;
    }

    /// Moves entries until the one to evict stands at the head of its queue.
    fn s3fifo_victim(&mut self) -> u32 {
        let [small, main] = self.queues;
        if small.len >= self.small_share || main.len == 0 {
            while self.queues[usize::from(SMALL)].len > 0 {
                let head = self.queues[usize::from(SMALL)].head;
                if self.slots[head as usize].frequency <= PROMOTE_ABOVE {
                    return head;
                }
                self.slots[head as usize].frequency = 0;
                self.requeue(head, MAIN);
            }
        }
        loop {
            let head = self.queues[usize::from(MAIN)].head;
            if head == NONE || self.slots[head as usize].frequency == 0 {
                return head;
            }
            self.slots[head as usize].frequency -= 1;
            self.requeue(head, MAIN);
        }
    }
}
