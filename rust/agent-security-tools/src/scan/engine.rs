//! The engine: one thread, one epoll, non-blocking connects.
//!
//! Three traps it minds. Readiness is drained before anything is taken for silence, and a silent
//! socket is asked once more. A connection to ourselves (source port = target port, on loopback)
//! is tried again. An open port is connected to once: a listener with a full queue would fall silent.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, connect, getsockname, socket_with, sockopt,
};

use super::local::{from_network, from_system, is_shortage, socket_limit};
use super::pace::{Rtt, Window};
use super::{Answer, Options, State};
use crate::Error;

/// Events taken from epoll at once.
const BATCH: usize = 512;
/// Tries of a port whose connection turned out to be to ourselves.
const SELF_CONNECTS: u32 = 5;
/// Waits for a missing resource with nothing of ours in flight, before it is reported.
const SHORTAGES: u32 = 20;
const SHORTAGE_PAUSE: Duration = Duration::from_millis(10);

/// A probe to be sent.
#[derive(Clone, Copy)]
struct Job {
    index: usize,
    tries: u32,
    selves: u32,
}

/// A probe that was sent and is awaited.
struct Flight {
    job: Job,
    socket: OwnedFd,
    sent: Instant,
}

struct Engine<'a> {
    addresses: &'a [IpAddr],
    ports: &'a [u16],
    options: Options,
    epoll: OwnedFd,
    fresh: usize,
    held: Option<Job>,
    again: VecDeque<Job>,
    slots: Vec<Option<Flight>>,
    free: Vec<usize>,
    flying: usize,
    peak: usize,
    expiry: BinaryHeap<Reverse<(Instant, usize, usize)>>,
    window: Window,
    rtt: Vec<Rtt>,
    answers: Vec<Option<(State, &'static str)>>,
    shortages: u32,
}

type Found = (Vec<Answer>, Duration, usize);

/// Scans all ports of all addresses. Ports are the outer loop, so hosts share the load.
pub(super) fn run(addresses: &[IpAddr], ports: &[u16], options: Options) -> Result<Found, Error> {
    let start = Instant::now();
    let most = options.max_sockets.min(socket_limit());
    let failed = |errno: Errno| Error::Engine(errno.to_string());
    let mut engine = Engine {
        addresses,
        ports,
        options,
        epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?,
        fresh: 0,
        held: None,
        again: VecDeque::new(),
        slots: Vec::new(),
        free: Vec::new(),
        flying: 0,
        peak: 0,
        expiry: BinaryHeap::new(),
        window: Window::new(most),
        rtt: vec![Rtt::default(); addresses.len()],
        answers: vec![None; addresses.len() * ports.len()],
        shortages: 0,
    };
    engine.drive(start + options.deadline).map_err(failed)?;
    let (peak, took) = (engine.peak, start.elapsed());
    Ok((engine.in_order(), took, peak))
}

impl Engine<'_> {
    fn drive(&mut self, deadline: Instant) -> Result<(), Errno> {
        let mut events = Vec::with_capacity(BATCH);
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Ok(());
            }
            self.send(deadline)?;
            if self.flying == 0 {
                if self.is_done() {
                    return Ok(());
                }
                continue;
            }
            let next = self
                .expiry
                .peek()
                .map_or(deadline, |Reverse((at, ..))| *at)
                .min(deadline);
            self.wait(next, &mut events)?;
            self.expire();
        }
    }

    fn is_done(&self) -> bool {
        self.held.is_none() && self.again.is_empty() && self.fresh >= self.answers.len()
    }

    /// What to send next: what a shortage held back, then what is fresh, then what was silent
    /// (behind all fresh ports, so what was lost in a burst has another chance after it).
    fn next_job(&mut self) -> Option<Job> {
        if let Some(job) = self.held.take() {
            return Some(job);
        }
        if self.fresh < self.answers.len() {
            self.fresh += 1;
            return Some(Job {
                index: self.fresh - 1,
                tries: 0,
                selves: 0,
            });
        }
        self.again.pop_front()
    }

    /// Sends while the window has room.
    fn send(&mut self, deadline: Instant) -> Result<(), Errno> {
        let mut sent = 0;
        while self.window.has_room(self.flying) {
            let Some(job) = self.next_job() else {
                return Ok(());
            };
            if !self.probe(job)? {
                return Ok(());
            }
            sent += 1;
            // Look at what came back, and at the clock, before sending on.
            if sent % BATCH == 0 && (self.flying > 0 || Instant::now() >= deadline) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends one probe; false if the system is short of something and we must wait.
    fn probe(&mut self, job: Job) -> Result<bool, Errno> {
        let address = self.address(job);
        let family = if address.is_ipv4() {
            AddressFamily::INET
        } else {
            AddressFamily::INET6
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let sent = Instant::now();
        let socket = match socket_with(family, SocketType::STREAM, flags, None) {
            Ok(socket) => socket,
            Err(errno) => return Ok(self.refused_here(job, errno)),
        };
        match connect(&socket, &address) {
            Ok(()) => self.connected(job, &socket, sent),
            Err(Errno::INPROGRESS) => match connect(&socket, &address) {
                // Asked at once: a near host has answered already, which spares the epoll.
                Err(Errno::ALREADY | Errno::INPROGRESS) => self.await_answer(job, socket, sent)?,
                Ok(()) | Err(Errno::ISCONN) => self.connected(job, &socket, sent),
                Err(errno) => self.answered(job, from_network(errno), sent),
            },
            Err(errno) => return Ok(self.refused_here(job, errno)),
        }
        self.shortages = 0;
        Ok(true)
    }

    fn address(&self, job: Job) -> SocketAddr {
        let hosts = self.addresses.len();
        SocketAddr::new(
            self.addresses[job.index % hosts],
            self.ports[job.index / hosts],
        )
    }

    /// Our own system refused. A shortage is waited for; false if so.
    fn refused_here(&mut self, job: Job, errno: Errno) -> bool {
        if is_shortage(errno) && (self.flying > 0 || self.shortages < SHORTAGES) {
            self.window.shrink(self.flying);
            self.held = Some(job);
            if self.flying == 0 {
                self.shortages += 1;
                std::thread::sleep(SHORTAGE_PAUSE);
            }
            return false;
        }
        self.answers[job.index] = Some(from_system(errno));
        true
    }

    fn await_answer(&mut self, job: Job, socket: OwnedFd, sent: Instant) -> Result<(), Errno> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let data = epoll::EventData::new_u64(slot as u64);
        epoll::add(&self.epoll, &socket, data, epoll::EventFlags::OUT)?;
        let rtt = self.rtt[job.index % self.addresses.len()];
        let wait = rtt.wait(self.options.timeout, job.tries == 0);
        // Stamped after connect: the time this took is not the host's.
        self.expiry
            .push(Reverse((Instant::now() + wait, slot, job.index)));
        self.slots[slot] = Some(Flight { job, socket, sent });
        self.flying += 1;
        self.peak = self.peak.max(self.flying);
        Ok(())
    }

    /// Takes answers until `next`, all that are there.
    fn wait(&mut self, next: Instant, events: &mut Vec<epoll::Event>) -> Result<(), Errno> {
        let mut left = next.saturating_duration_since(Instant::now());
        loop {
            events.clear();
            let limit = Timespec::try_from(left).unwrap_or(Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            });
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(events),
                Some(&limit),
            ) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
            for event in events.iter() {
                let slot = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                self.settle(slot);
            }
            if events.len() < BATCH {
                return Ok(());
            }
            left = Duration::ZERO;
        }
    }

    /// Takes a flight out of its slot.
    fn land(&mut self, slot: usize) -> Option<Flight> {
        let flight = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        self.flying -= 1;
        Some(flight)
    }

    /// A socket is ready: connected or failed.
    fn settle(&mut self, slot: usize) {
        let Some(flight) = self.land(slot) else {
            return;
        };
        match sockopt::socket_error(&flight.socket) {
            Ok(Ok(())) => self.connected(flight.job, &flight.socket, flight.sent),
            Ok(Err(errno)) => self.answered(flight.job, from_network(errno), flight.sent),
            Err(errno) => self.answers[flight.job.index] = Some(from_system(errno)),
        }
    }

    /// Time is up for some: ask each once more, then try again or take it for filtered.
    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, slot, index))) = self.expiry.peek().copied() {
            if at > now {
                return;
            }
            self.expiry.pop();
            let current = self.slots[slot]
                .as_ref()
                .is_some_and(|flight| flight.job.index == index);
            if !current {
                continue;
            }
            let Some(flight) = self.land(slot) else {
                continue;
            };
            let (job, address) = (flight.job, self.address(flight.job));
            match connect(&flight.socket, &address) {
                Ok(()) | Err(Errno::ISCONN) => {
                    self.connected(job, &flight.socket, flight.sent);
                }
                Err(Errno::ALREADY | Errno::INPROGRESS) => self.silent(job),
                Err(errno) => self.answered(job, from_network(errno), flight.sent),
            }
        }
    }

    fn silent(&mut self, job: Job) {
        self.window.grow();
        if job.tries + 1 < self.options.tries {
            self.again.push_back(Job {
                tries: job.tries + 1,
                ..job
            });
        } else {
            self.answers[job.index] = Some((State::Filtered, "no_answer"));
        }
    }

    fn connected(&mut self, job: Job, socket: &OwnedFd, sent: Instant) {
        let ours = getsockname(socket)
            .ok()
            .and_then(|name| SocketAddr::try_from(name).ok());
        if ours == Some(self.address(job)) {
            if job.selves < SELF_CONNECTS {
                self.again.push_back(Job {
                    selves: job.selves + 1,
                    ..job
                });
            } else {
                self.answers[job.index] = Some((State::Closed, "self_connect"));
            }
            return;
        }
        // Reset instead of a long goodbye: no TIME_WAIT on either side.
        let _ = sockopt::set_socket_linger(socket, Some(Duration::ZERO));
        self.answered(job, (State::Open, "accepted"), sent);
    }

    fn answered(&mut self, job: Job, answer: (State, &'static str), sent: Instant) {
        let host = job.index % self.addresses.len();
        self.rtt[host].learn(sent.elapsed());
        self.answers[job.index] = Some(answer);
    }

    /// The answers by target, then port.
    fn in_order(self) -> Vec<Answer> {
        let hosts = self.addresses.len();
        let mut all = Vec::with_capacity(self.answers.len());
        for target in 0..hosts {
            for (place, port) in self.ports.iter().enumerate() {
                let (state, reason) =
                    self.answers[place * hosts + target].unwrap_or((State::Skipped, "deadline"));
                all.push(Answer {
                    target,
                    port: *port,
                    state,
                    reason,
                });
            }
        }
        all
    }
}
