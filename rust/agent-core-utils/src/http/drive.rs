//! The driver that is the calling thread: it waits on the socket of its one request itself.

use super::fault::Fault;
use super::flight::{Answer, Flight, Turn};
use super::shared::Shared;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

/// How long a lone request looks for its answer before it sleeps. A wake-up from sleep costs more
/// than that on virtual machines.
const SPIN: Duration = Duration::from_micros(200);

impl Shared {
    /// Drives a request to its outcome. A streamed one is driven to its head.
    pub fn run(&self, flight: &mut Flight) -> Result<Answer, Fault> {
        loop {
            if self.step(flight) {
                return flight
                    .outcome()
                    .unwrap_or_else(|| Err(Fault::protocol("there is no outcome")));
            }
        }
    }

    /// Drives a streamed response to its next piece; empty at the end.
    pub fn next_piece(&self, flight: &mut Flight) -> Result<Vec<u8>, Fault> {
        loop {
            if flight.is_over() {
                return flight.piece();
            }
            flight.ask_piece(self);
            while !self.step(flight) {}
            let piece = flight.piece()?;
            if !piece.is_empty() {
                return Ok(piece);
            }
        }
    }

    /// Goes on, or waits for what stands in the way; whether there is something for the caller.
    fn step(&self, flight: &mut Flight) -> bool {
        match self.advance_spinning(flight) {
            Turn::Done => return true,
            Turn::Sleep(wait) => {
                let whole = Duration::try_from_secs_f64(wait).unwrap_or(Duration::ZERO);
                match &self.hooks.sleep {
                    Some(sleep) => sleep(wait),
                    None => std::thread::sleep(whole),
                }
                return false;
            }
            Turn::Place => self.await_place(self.left(flight)),
            Turn::Name => {
                let left = self.left(flight);
                if let Some(search) = flight.search() {
                    search.wait(left);
                }
            }
            Turn::Piece => std::thread::sleep(Duration::from_millis(1)),
            turn @ (Turn::Read | Turn::Write | Turn::Both) => self.await_socket(flight, turn),
        }
        flight.expire(self);
        false
    }

    fn left(&self, flight: &Flight) -> Duration {
        let left = (flight.until() - self.elapsed()).clamp(0.0, 3600.0);
        Duration::try_from_secs_f64(left).unwrap_or(Duration::ZERO)
    }

    /// Advances; a request that is alone looks for its answer for a while before it sleeps.
    fn advance_spinning(&self, flight: &mut Flight) -> Turn {
        let mut turn = flight.advance(self);
        if turn == Turn::Read && self.busy() == 1 {
            let begun = Instant::now();
            while turn == Turn::Read && begun.elapsed() < SPIN {
                std::hint::spin_loop();
                turn = flight.advance(self);
            }
        }
        turn
    }

    fn await_socket(&self, flight: &mut Flight, turn: Turn) {
        let left = self.left(flight);
        let Some(link) = flight.link() else {
            return;
        };
        let flags = match turn {
            Turn::Read => PollFlags::IN,
            Turn::Write => PollFlags::OUT,
            _ => PollFlags::IN | PollFlags::OUT,
        };
        let timeout = Timespec::try_from(left).ok();
        let _ = poll(&mut [PollFd::new(&link.wire.tcp, flags)], timeout.as_ref());
    }
}
