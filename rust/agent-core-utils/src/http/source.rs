//! Where the bytes of a request's body come from.

use super::fault::Fault;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Gives the next piece, or `None` at the end.
pub type Pull = Box<dyn FnMut() -> Result<Option<Vec<u8>>, Fault> + Send>;

/// Pieces that somebody else puts in.
#[derive(Debug, Default)]
pub struct Queue {
    inside: Mutex<(VecDeque<Vec<u8>>, bool)>,
}

impl Queue {
    /// Adds a piece.
    pub fn push(&self, piece: Vec<u8>) {
        self.inside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .push_back(piece);
    }

    /// Nothing follows.
    pub fn end(&self) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    }

    /// Pieces that wait.
    pub fn waiting(&self) -> usize {
        self.inside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .len()
    }
}

/// The body of a request.
pub enum Source {
    /// There is none.
    Empty,
    /// All of it; can be sent again.
    Whole(Arc<Vec<u8>>),
    /// Asked for piece by piece.
    Pull(Pull),
    /// Put in piece by piece.
    Queue(Arc<Queue>),
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Empty => "Empty",
            Self::Whole(_) => "Whole",
            Self::Pull(_) => "Pull",
            Self::Queue(_) => "Queue",
        })
    }
}

/// What a source has to give now.
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    Later,
    End,
}

impl Source {
    /// Whether the body can be sent again.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        matches!(self, Self::Empty | Self::Whole(_))
    }

    /// The next piece of a body that comes in pieces.
    pub(crate) fn next(&mut self) -> Result<Piece, Fault> {
        match self {
            Self::Empty | Self::Whole(_) => Ok(Piece::End),
            Self::Pull(pull) => Ok(pull()?.map_or(Piece::End, Piece::Bytes)),
            Self::Queue(queue) => {
                let mut inside = queue.inside.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(match (inside.0.pop_front(), inside.1) {
                    (Some(piece), _) => Piece::Bytes(piece),
                    (None, true) => Piece::End,
                    (None, false) => Piece::Later,
                })
            }
        }
    }
}
