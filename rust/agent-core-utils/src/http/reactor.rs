//! The driver of many requests at once: one epoll, one thread, whoever's it is.
//!
//! An event loop watches [`Reactor::descriptor`] and calls [`Reactor::turn`] when it is readable; a
//! timer descriptor inside makes it so when something takes too long. Or [`Reactor::run_all`] is
//! the loop itself.

use super::fault::Fault;
use super::flight::{Answer, Flight, Turn};
use super::shared::{Order, Shared};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

const TIMER: Token = Token(0);
const WAKER: Token = Token(1);
const FIRST: usize = 16;
/// Tokens of one reactor; the number of the reactor stands above.
const TOKENS: usize = 1 << 40;

/// What came of a flight.
#[derive(Debug)]
pub enum Outcome {
    /// The response, or the head of a streamed one.
    Answer(Result<Answer, Fault>),
    /// A piece of a streamed response; empty at the end.
    Piece(Result<Vec<u8>, Fault>),
}

#[derive(Debug)]
struct Entry {
    flight: Flight,
    token: usize,
    waits: Waits,
    /// Sleeps until then, by the client's own clock.
    wakes: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Socket,
    Place,
    Name,
    Sleep,
    /// For the caller to ask for more.
    Caller,
}

/// Many flights over one epoll.
#[derive(Debug)]
pub struct Reactor {
    shared: Arc<Shared>,
    poll: Poll,
    events: Events,
    timer: OwnedFd,
    armed: f64,
    waker: Arc<Waker>,
    number: usize,
    next_token: usize,
    /// By the lower half of a flight's number; the upper one tells those apart that had it in turn.
    entries: Vec<Option<Box<Entry>>>,
    generations: Vec<usize>,
    free: Vec<usize>,
    busy: HashMap<usize, usize>,
    queue: VecDeque<usize>,
    names: Vec<usize>,
    done: Vec<(usize, String, Outcome)>,
}

impl Reactor {
    /// A reactor for the requests of `shared`.
    pub fn new(shared: Arc<Shared>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let raw = timer.as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&raw), TIMER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        Ok(Self {
            number: shared.next_reactor() * TOKENS,
            shared,
            poll,
            events: Events::with_capacity(256),
            timer,
            armed: f64::INFINITY,
            waker,
            next_token: FIRST,
            entries: Vec::new(),
            generations: Vec::new(),
            free: Vec::new(),
            busy: HashMap::new(),
            queue: VecDeque::new(),
            names: Vec::new(),
            done: Vec::new(),
        })
    }

    /// What an event loop watches for reading.
    pub fn descriptor(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Makes searches for addresses wake this reactor. For the one that a client lends to a loop.
    pub fn hear_of_addresses(&self) {
        let waker = Arc::clone(&self.waker);
        let _ = self.shared.notice.set(Arc::new(move || {
            let _ = waker.wake();
        }));
    }

    /// Sets a flight on its way, at once. Returns its number.
    pub fn submit(&mut self, flight: Flight) -> usize {
        let entry = Box::new(Entry {
            flight,
            token: 0,
            waits: Waits::Socket,
            wakes: f64::INFINITY,
        });
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.generations.push(0);
            self.entries.len() - 1
        });
        self.generations[slot] += 1;
        let key = self.generations[slot] << 32 | slot;
        self.entries[slot] = Some(entry);
        self.advance(key);
        key
    }

    /// How many flights are here.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether no flight is here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What came since it was last asked: the flight, where it failed if it did, the outcome.
    pub fn take_done(&mut self) -> Vec<(usize, String, Outcome)> {
        std::mem::take(&mut self.done)
    }

    /// Asks for the next piece of a streamed response; it comes as an outcome.
    pub fn ask(&mut self, key: usize) {
        let shared = Arc::clone(&self.shared);
        let Some(entry) = self.slot(key).and_then(Option::as_mut) else {
            self.done
                .push((key, String::new(), Outcome::Piece(Ok(Vec::new()))));
            return;
        };
        entry.flight.ask_piece(&shared);
        entry.waits = Waits::Socket;
        self.advance(key);
    }

    /// A piece of the request's body was put in.
    pub fn poke(&mut self, key: usize) {
        if self
            .entry(key)
            .is_some_and(|entry| entry.waits == Waits::Socket)
        {
            self.advance(key);
        }
    }

    /// Gives a flight up.
    pub fn abandon(&mut self, key: usize) {
        if let Some(mut entry) = self.remove(key) {
            entry.flight.abandon(&self.shared);
            self.start_waiting();
        }
    }

    /// Gives a flight up, and says so as its outcome.
    pub fn fail(&mut self, key: usize) {
        if let Some(mut entry) = self.slot(key).and_then(Option::take) {
            entry.flight.abandon(&self.shared);
            self.settle(key, entry);
        }
    }

    /// Makes sure that [`Reactor::turn`] is called within that time.
    pub fn wake_within(&mut self, most: Duration) {
        let due = self.shared.elapsed() + most.as_secs_f64();
        self.arm(due);
    }

    /// Works on what is ready, after at most `wait`; `None` waits for as long as nothing is due.
    pub fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let polled = self.poll.poll(&mut events, wait);
        let mut timed = false;
        for event in &events {
            match event.token() {
                TIMER => timed = true,
                WAKER => {}
                Token(token) => {
                    // A connection may have been handed on since: then it tells nothing.
                    if let Some(&key) = self.busy.get(&token)
                        && self
                            .entry(key)
                            .is_some_and(|entry| entry.waits == Waits::Socket)
                    {
                        self.advance(key);
                    }
                }
            }
        }
        self.events = events;
        match polled {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        if timed {
            let _ = rustix::io::read(&self.timer, &mut [0; 8]);
            self.armed = f64::INFINITY;
            self.look_at_the_clock();
        }
        if !self.names.is_empty() {
            for key in std::mem::take(&mut self.names) {
                self.advance(key);
            }
        }
        self.start_waiting();
        Ok(())
    }

    /// Fetches all, at most `limit` at once; outcomes in the order of the orders.
    pub fn run_all(
        mut self,
        orders: Vec<Result<Order, Fault>>,
        limit: usize,
    ) -> io::Result<Vec<(String, Result<Answer, Fault>)>> {
        let mut results: Vec<Option<(String, Result<Answer, Fault>)>> = Vec::new();
        results.resize_with(orders.len(), || None);
        let mut waiting = orders.into_iter().enumerate();
        let mut at: HashMap<usize, usize> = HashMap::new();
        let mut open = true;
        while open || !self.is_empty() {
            while open && self.len() < limit {
                let Some((index, order)) = waiting.next() else {
                    open = false;
                    break;
                };
                let place = order.as_ref().map_or_else(
                    |_| String::new(),
                    |order| format!("{} {}", order.method, order.url),
                );
                match order.and_then(|order| self.shared.flight(order)) {
                    Ok(flight) => {
                        let key = self.submit(flight);
                        at.insert(key, index);
                        for (key, place, outcome) in self.take_done() {
                            settle(&mut results, at.get(&key), place, outcome);
                        }
                    }
                    Err(fault) => results[index] = Some((place, Err(fault))),
                }
            }
            if self.is_empty() {
                continue;
            }
            self.turn(Some(Duration::from_millis(20)))?;
            for (key, place, outcome) in self.take_done() {
                settle(&mut results, at.get(&key), place, outcome);
            }
        }
        let missing = || (String::new(), Err(Fault::protocol("there is no outcome")));
        Ok(results
            .into_iter()
            .map(|one| one.unwrap_or_else(missing))
            .collect())
    }

    /// Where a flight stands, if it is still the one that had the number.
    fn slot(&mut self, key: usize) -> Option<&mut Option<Box<Entry>>> {
        let slot = key & (u32::MAX as usize);
        if self.generations.get(slot) != Some(&(key >> 32)) {
            return None;
        }
        self.entries.get_mut(slot)
    }

    fn put_back(&mut self, key: usize, entry: Box<Entry>) {
        if let Some(place) = self.slot(key) {
            *place = Some(entry);
        }
    }

    fn entry(&self, key: usize) -> Option<&Entry> {
        let slot = key & (u32::MAX as usize);
        if self.generations.get(slot) != Some(&(key >> 32)) {
            return None;
        }
        self.entries.get(slot)?.as_deref()
    }

    fn remove(&mut self, key: usize) -> Option<Box<Entry>> {
        let entry = self.slot(key)?.take()?;
        self.free.push(key & (u32::MAX as usize));
        if entry.token != 0 {
            self.busy.remove(&entry.token);
        }
        Some(entry)
    }

    /// Moves a flight on, and notes what it waits for.
    fn advance(&mut self, key: usize) {
        let Some(mut entry) = self.slot(key).and_then(Option::take) else {
            return;
        };
        if entry.waits == Waits::Caller {
            self.put_back(key, entry);
            return;
        }
        let shared = Arc::clone(&self.shared);
        loop {
            let turn = entry.flight.advance(&shared);
            match turn {
                Turn::Read | Turn::Write | Turn::Both => {
                    entry.waits = Waits::Socket;
                    if self.watch(key, &mut entry).is_ok() {
                        break;
                    }
                    entry.flight.abandon(&shared);
                }
                Turn::Piece => {
                    entry.waits = Waits::Socket;
                    break;
                }
                Turn::Name => {
                    entry.waits = Waits::Name;
                    self.names.push(key);
                    break;
                }
                Turn::Place => {
                    entry.waits = Waits::Place;
                    self.queue.push_back(key);
                    break;
                }
                Turn::Sleep(wait) => {
                    if let Some(sleep) = &shared.hooks.sleep {
                        sleep(wait);
                        continue;
                    }
                    entry.waits = Waits::Sleep;
                    entry.wakes = shared.elapsed() + wait;
                    break;
                }
                Turn::Done => {
                    self.settle(key, entry);
                    return;
                }
            }
        }
        let due = if entry.waits == Waits::Sleep {
            entry.wakes
        } else {
            entry.flight.until()
        };
        self.put_back(key, entry);
        self.arm(due);
    }

    fn settle(&mut self, key: usize, mut entry: Box<Entry>) {
        let outcome = match entry.flight.outcome() {
            Some(answer) => Outcome::Answer(answer),
            None => Outcome::Piece(entry.flight.piece()),
        };
        let place = match &outcome {
            Outcome::Answer(Err(_)) | Outcome::Piece(Err(_)) => entry.flight.place(),
            _ => String::new(),
        };
        if entry.flight.is_over() && !entry.flight.has_piece() {
            self.put_back(key, entry);
            self.remove(key);
        } else {
            entry.waits = Waits::Caller;
            self.put_back(key, entry);
        }
        self.done.push((key, place, outcome));
    }

    /// Makes the epoll tell of the flight's socket.
    fn watch(&mut self, key: usize, entry: &mut Entry) -> io::Result<()> {
        let Some(link) = entry.flight.link() else {
            return Ok(());
        };
        if link.token / TOKENS * TOKENS != self.number {
            let token = self.number + self.next_token;
            self.next_token += 1;
            let both = Interest::READABLE | Interest::WRITABLE;
            let raw = link.wire.tcp.as_fd().as_raw_fd();
            let registry = self.poll.registry();
            match registry.register(&mut SourceFd(&raw), Token(token), both) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    registry.reregister(&mut SourceFd(&raw), Token(token), both)?;
                }
                other => other?,
            }
            link.token = token;
        }
        if entry.token != link.token {
            if entry.token != 0 {
                self.busy.remove(&entry.token);
            }
            entry.token = link.token;
            self.busy.insert(link.token, key);
        }
        Ok(())
    }

    /// Lets those try that wait for a place.
    fn start_waiting(&mut self) {
        for _ in 0..self.queue.len() {
            let Some(key) = self.queue.pop_front() else {
                return;
            };
            let before = self.queue.len();
            if self
                .entry(key)
                .is_some_and(|entry| entry.waits == Waits::Place)
            {
                self.advance(key);
            }
            if self.queue.len() > before {
                // Still none: the first stays the first.
                if let Some(key) = self.queue.pop_back() {
                    self.queue.push_front(key);
                }
                return;
            }
        }
    }

    /// Fails what took too long, wakes what slept, and sets the timer anew.
    fn look_at_the_clock(&mut self) {
        let now = self.shared.elapsed();
        for slot in 0..self.entries.len() {
            let key = self.generations[slot] << 32 | slot;
            let Some(entry) = self.entries[slot].as_mut() else {
                continue;
            };
            let due = if entry.waits == Waits::Sleep {
                entry.wakes
            } else {
                entry.flight.until()
            };
            if due > now {
                self.arm(due);
                continue;
            }
            if entry.waits == Waits::Caller {
                // A streamed response whose whole time is up: the caller hears of it when it asks.
                continue;
            }
            if entry.waits != Waits::Sleep {
                let shared = Arc::clone(&self.shared);
                entry.flight.expire(&shared);
            }
            self.advance(key);
        }
    }

    /// Makes sure that [`Reactor::turn`] is called at `due`.
    fn arm(&mut self, due: f64) {
        if due >= self.armed {
            return;
        }
        self.armed = due;
        let left = (due - self.shared.elapsed()).clamp(0.000_1, 1e6);
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::from_secs(1));
        let spec = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec::try_from(left).unwrap_or(Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            }),
        };
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec);
    }
}

fn settle(
    results: &mut [Option<(String, Result<Answer, Fault>)>],
    index: Option<&usize>,
    place: String,
    outcome: Outcome,
) {
    if let (Some(&index), Outcome::Answer(answer)) = (index, outcome) {
        results[index] = Some((place, answer));
    }
}
