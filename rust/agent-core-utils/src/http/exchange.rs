//! One request and its response over one connection.

use super::body::Body;
use super::fault::Fault;
use super::flight::Turn;
use super::h2link::Exchange2;
use super::head::{Framing, Head};
use super::link::Link;
use super::request::{Length, write_head};
use super::source::{Piece, Source};
use super::url::Url;
use std::io::{ErrorKind, Write};
use std::sync::Arc;

/// Bodies up to this go out with the head, in one write.
const TOGETHER: usize = 64 << 10;
/// A streamed body is handed over in pieces of at least this, or of what is there.
const PIECE: usize = 64 << 10;
const MAX_INTERIM: u8 = 8;

/// What an exchange did.
#[derive(Debug, PartialEq)]
pub(crate) enum Progress {
    /// Bytes went or came.
    Moved,
    /// Nothing to do before that.
    Waits(Turn),
    /// The head came.
    Head,
    /// A piece of the body came.
    Piece,
    /// All came.
    End,
}

/// One request and its response, by the protocol of its connection.
#[derive(Debug)]
pub(crate) enum Exchange {
    One(Exchange1),
    Two(Box<Exchange2>),
}

impl Exchange {
    pub(crate) fn new(
        link: &Link,
        request: (&str, &Url, &[(&str, &[u8])]),
        source: &Source,
        absolute: bool,
        limit: u64,
    ) -> Result<Self, Fault> {
        Ok(if link.h2.is_some() {
            Self::Two(Box::new(Exchange2::new(request, source, limit)?))
        } else {
            Self::One(Exchange1::new(request, source, absolute, limit))
        })
    }

    pub(crate) fn advance(
        &mut self,
        link: &mut Link,
        source: &mut Source,
    ) -> Result<Progress, Fault> {
        match self {
            Self::One(one) => one.advance(link, source),
            Self::Two(two) => two.advance(link, source),
        }
    }

    /// Whether the request is out.
    pub(crate) fn is_sent(&self) -> bool {
        match self {
            Self::One(one) => one.sent,
            Self::Two(two) => two.state.sent,
        }
    }

    /// Whether any of it is out.
    pub(crate) fn has_begun(&self) -> bool {
        match self {
            Self::One(one) => one.begun,
            Self::Two(two) => two.state.begun,
        }
    }

    /// Whether nothing was heard yet.
    pub(crate) fn is_silent(&self) -> bool {
        match self {
            Self::One(one) => !one.heard,
            Self::Two(two) => !two.state.heard,
        }
    }

    pub(crate) fn head(&self) -> Option<&Head> {
        match self {
            Self::One(one) => one.head.as_ref(),
            Self::Two(two) => two.state.head.as_ref(),
        }
    }

    pub(crate) fn take_head(&mut self) -> Head {
        match self {
            Self::One(one) => one.head.take().unwrap_or_default(),
            Self::Two(two) => two.state.head.take().unwrap_or_default(),
        }
    }

    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::One(one) => &mut one.data,
            Self::Two(two) => &mut two.state.data,
        })
    }

    /// Whether the connection may carry another request.
    pub(crate) fn is_reusable(&self) -> bool {
        match self {
            Self::One(one) => one.is_reusable(),
            Self::Two(two) => two.state.done && two.state.sent,
        }
    }
}

/// One request and its response over HTTP/1.1.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts, not a state
pub(crate) struct Exchange1 {
    out: Vec<u8>,
    out_at: usize,
    whole: Option<(Arc<Vec<u8>>, usize)>,
    pieces: bool,
    sent: bool,
    begun: bool,
    /// The server stopped reading; what it says counts.
    cut: bool,
    heard: bool,
    is_head_request: bool,
    interim: u8,
    head: Option<Head>,
    told: bool,
    body: Option<Body>,
    data: Vec<u8>,
    limit: u64,
}

impl Exchange1 {
    fn new(
        request: (&str, &Url, &[(&str, &[u8])]),
        source: &Source,
        absolute: bool,
        limit: u64,
    ) -> Self {
        let (method, url, fields) = request;
        let length = match source {
            Source::Empty => Length::None,
            Source::Whole(bytes) => Length::Known(bytes.len()),
            Source::Pull(_) | Source::Queue(_) => Length::Chunked,
        };
        let mut out = Vec::with_capacity(256);
        write_head(&mut out, method, url, fields, length, absolute);
        let mut whole = None;
        if let Source::Whole(bytes) = source {
            if bytes.len() <= TOGETHER {
                out.extend_from_slice(bytes);
            } else {
                whole = Some((Arc::clone(bytes), 0));
            }
        }
        Self {
            out,
            out_at: 0,
            whole,
            pieces: length == Length::Chunked,
            sent: false,
            begun: false,
            cut: false,
            heard: false,
            is_head_request: method == "HEAD",
            interim: 0,
            head: None,
            told: false,
            body: None,
            data: Vec::new(),
            limit,
        }
    }

    /// Whether the connection may carry another request.
    pub(crate) fn is_reusable(&self) -> bool {
        let ended = self
            .body
            .as_ref()
            .is_some_and(|body| !body.is_until_close());
        ended && self.sent && !self.cut && self.head.as_ref().is_some_and(Head::keeps_alive)
    }

    /// Goes on until it waits, or something came.
    pub(crate) fn advance(
        &mut self,
        link: &mut Link,
        source: &mut Source,
    ) -> Result<Progress, Fault> {
        if !self.sent {
            return match self.send(link, source)? {
                Turn::Done => {
                    // The answer can not be there yet: no look for it before it is announced. Not
                    // so where bytes may already be in hand (TLS), or the socket has ended.
                    self.sent = true;
                    Ok(Progress::Moved)
                }
                // The answer may come before the request is out; then the rest is not sent.
                turn => match self.receive(link)? {
                    Progress::Waits(_) if turn == Turn::Write => Ok(Progress::Waits(Turn::Both)),
                    Progress::Waits(_) => Ok(Progress::Waits(turn)),
                    progress => {
                        if self.head.is_some() {
                            self.cut = true;
                            self.sent = true;
                        }
                        Ok(progress)
                    }
                },
            };
        }
        self.receive(link)
    }

    fn send(&mut self, link: &mut Link, source: &mut Source) -> Result<Turn, Fault> {
        loop {
            while self.out_at < self.out.len() {
                match link.wire.write(&self.out[self.out_at..]) {
                    Ok(count) => {
                        self.begun = true;
                        self.out_at += count;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Write),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => {
                        // It may have answered before it closed.
                        self.cut = true;
                        return Ok(Turn::Done);
                    }
                }
            }
            match link.wire.flush() {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Write),
                Err(_) => {
                    self.cut = true;
                    return Ok(Turn::Done);
                }
            }
            self.out.clear();
            self.out_at = 0;
            if let Some((bytes, at)) = &mut self.whole {
                let end = bytes.len().min(*at + TOGETHER);
                self.out.extend_from_slice(&bytes[*at..end]);
                *at = end;
                if end == bytes.len() {
                    self.whole = None;
                }
            } else if self.pieces {
                match source.next()? {
                    Piece::Bytes(piece) if piece.is_empty() => {}
                    Piece::Bytes(piece) => {
                        self.out
                            .extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                        self.out.extend_from_slice(&piece);
                        self.out.extend_from_slice(b"\r\n");
                    }
                    Piece::Later => return Ok(Turn::Piece),
                    Piece::End => {
                        self.out.extend_from_slice(b"0\r\n\r\n");
                        self.pieces = false;
                    }
                }
            } else {
                return Ok(Turn::Done);
            }
        }
    }

    fn receive(&mut self, link: &mut Link) -> Result<Progress, Fault> {
        loop {
            if let Some(progress) = self.understand(link)? {
                return Ok(progress);
            }
            let large = self.body.is_some() && self.data.len() > 4096;
            match link.fill(large) {
                Ok(0) => return self.ended(true),
                Ok(_) => self.heard = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Progress::Waits(Turn::Read));
                }
                Err(_) => return self.ended(false),
            }
        }
    }

    /// Makes what it can of what was read.
    fn understand(&mut self, link: &mut Link) -> Result<Option<Progress>, Fault> {
        while self.head.is_none() {
            if link.ahead().is_empty() {
                return Ok(None);
            }
            let Some((head, length)) = Head::parse(link.ahead())? else {
                return Ok(None);
            };
            link.take(length);
            if (100..200).contains(&head.status) {
                self.interim += 1;
                if head.status == 101 || self.interim > MAX_INTERIM {
                    return Err(Fault::protocol(
                        "the response is an interim one that was not asked for",
                    ));
                }
                continue;
            }
            let framing = head.framing(self.is_head_request)?;
            self.body = Some(Body::new(framing, self.limit)?);
            if let Framing::Length(length) = framing {
                self.data
                    .reserve(usize::try_from(length).unwrap_or(0).min(PIECE * 16));
            }
            self.head = Some(head);
        }
        if !self.told {
            self.told = true;
            return Ok(Some(Progress::Head));
        }
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        let before = self.data.len();
        let count = body.feed(link.ahead(), &mut self.data)?;
        link.take(count);
        if body.is_done() {
            return Ok(Some(Progress::End));
        }
        Ok((self.data.len() > before).then_some(Progress::Piece))
    }

    fn ended(&mut self, cleanly: bool) -> Result<Progress, Fault> {
        let Some(body) = self.body.as_mut() else {
            return Err(Fault::protocol(if self.heard {
                "the connection closed before the response was complete"
            } else {
                "the connection closed before a response came"
            }));
        };
        if !cleanly && body.is_until_close() {
            return Err(Fault::protocol(
                "the connection closed before the response was complete",
            ));
        }
        self.cut = true;
        body.close()?;
        Ok(Progress::End)
    }
}
