//! HTTP/2 by the `h2` crate, without input or output of its own: bytes pass through two buffers,
//! and a waker that only notes that it was called stands where a runtime would.
//!
//! A connection carries one exchange at a time.

use super::exchange::Progress;
use super::fault::{Fault, Kind};
use super::flight::Turn;
use super::head::{Head, MAX_FIELDS};
use super::link::{Link, Wire};
use super::source::{Piece, Source};
use super::url::Url;
use bytes::{Buf, Bytes};
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const WINDOW: u32 = 1 << 20;
const PIPE: usize = 256 << 10;

#[derive(Debug, Default)]
struct Buffers {
    inbound: Vec<u8>,
    outbound: Vec<u8>,
    ended: bool,
}

/// What the `h2` crate takes for a socket.
#[derive(Debug, Clone, Default)]
struct Pipe(Arc<Mutex<Buffers>>);

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Buffers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut buffers = self.lock();
        if buffers.inbound.is_empty() {
            return if buffers.ended {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        }
        let count = into.remaining().min(buffers.inbound.len());
        into.put_slice(&buffers.inbound[..count]);
        buffers.inbound.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffers = self.lock();
        if buffers.outbound.len() >= PIPE {
            return Poll::Pending;
        }
        buffers.outbound.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Notes that something can go on.
#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Greeting = Pin<
    Box<
        dyn Future<Output = Result<(SendRequest<Bytes>, Connection<Pipe, Bytes>), h2::Error>>
            + Send,
    >,
>;

/// The state of HTTP/2 on a connection.
pub(crate) struct H2 {
    pipe: Pipe,
    flag: Arc<Flag>,
    greeting: Option<Greeting>,
    running: Option<(SendRequest<Bytes>, Connection<Pipe, Bytes>)>,
    over: bool,
}

impl fmt::Debug for H2 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("H2")
    }
}

impl Default for H2 {
    fn default() -> Self {
        let pipe = Pipe::default();
        let mut builder = Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(65536)
            .max_concurrent_reset_streams(10);
        let greeting = builder.handshake::<Pipe, Bytes>(pipe.clone());
        Self {
            pipe,
            flag: Arc::default(),
            greeting: Some(Box::pin(greeting)),
            running: None,
            over: false,
        }
    }
}

impl H2 {
    /// Whether another request may be sent.
    pub(crate) fn is_usable(&mut self, wire: &mut Wire) -> bool {
        self.pump(wire).is_ok() && !self.over && !self.pipe.lock().ended && self.running.is_some()
    }

    /// Moves bytes both ways and lets the protocol run, until nothing moves. Whether anything did.
    fn pump(&mut self, wire: &mut Wire) -> Result<bool, Fault> {
        let waker = Waker::from(Arc::clone(&self.flag));
        let mut cx = Context::from_waker(&waker);
        let mut any = false;
        loop {
            let mut moved = self.read(wire);
            self.flag.0.store(false, Ordering::Relaxed);
            if let Some(greeting) = &mut self.greeting
                && let Poll::Ready(outcome) = greeting.as_mut().poll(&mut cx)
            {
                self.running = Some(outcome.map_err(|_| broken())?);
                self.greeting = None;
                moved = true;
            }
            if let Some((_, connection)) = &mut self.running
                && !self.over
                && let Poll::Ready(_outcome) = Pin::new(connection).poll(&mut cx)
            {
                self.over = true;
                moved = true;
            }
            moved |= self.write(wire);
            if !moved && !self.flag.0.load(Ordering::Relaxed) {
                return Ok(any);
            }
            any |= moved;
        }
    }

    fn read(&mut self, wire: &mut Wire) -> bool {
        let mut buffers = self.pipe.lock();
        let mut moved = false;
        let mut piece = [0; 16 << 10];
        while !buffers.ended && buffers.inbound.len() < PIPE {
            match wire.read(&mut piece) {
                Ok(0) => buffers.ended = true,
                Ok(count) => buffers.inbound.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => buffers.ended = true,
            }
            moved = true;
        }
        moved
    }

    fn write(&mut self, wire: &mut Wire) -> bool {
        let mut buffers = self.pipe.lock();
        let mut sent = 0;
        while sent < buffers.outbound.len() {
            match wire.write(&buffers.outbound[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    sent = buffers.outbound.len();
                    buffers.ended = true;
                }
            }
        }
        buffers.outbound.drain(..sent);
        let _ = wire.flush();
        sent > 0
    }
}

fn broken() -> Fault {
    Fault::protocol("the server broke HTTP/2")
}

/// One request and its response over HTTP/2.
pub(crate) struct Exchange2 {
    request: Option<http::Request<()>>,
    has_body: bool,
    whole: Option<(Arc<Vec<u8>>, usize)>,
    pending: Bytes,
    ends: bool,
    sending: Option<SendStream<Bytes>>,
    response: Option<ResponseFuture>,
    receiving: Option<RecvStream>,
    pub(crate) state: State,
    limit: u64,
    taken: u64,
}

/// What was sent and heard so far.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts, not a state
pub(crate) struct State {
    pub(crate) sent: bool,
    pub(crate) begun: bool,
    pub(crate) heard: bool,
    pub(crate) done: bool,
    pub(crate) head: Option<Head>,
    pub(crate) data: Vec<u8>,
}

impl fmt::Debug for Exchange2 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Exchange2")
    }
}

impl Exchange2 {
    pub(crate) fn new(
        request: (&str, &Url, &[(&str, &[u8])]),
        source: &Source,
        limit: u64,
    ) -> Result<Self, Fault> {
        let (method, url, fields) = request;
        let mut builder = http::Request::builder()
            .method(method)
            .version(http::Version::HTTP_2)
            .uri(url.to_string());
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        let whole = match source {
            Source::Whole(bytes) => {
                builder = builder.header("content-length", bytes.len());
                Some((Arc::clone(bytes), 0))
            }
            _ => None,
        };
        let request = builder.body(());
        let request = request.map_err(|_| Fault::input("the request can not be sent by HTTP/2"))?;
        Ok(Self {
            request: Some(request),
            has_body: match &whole {
                Some((bytes, _)) => !bytes.is_empty(),
                None => matches!(source, Source::Pull(_) | Source::Queue(_)),
            },
            whole,
            pending: Bytes::new(),
            ends: false,
            sending: None,
            response: None,
            receiving: None,
            state: State::default(),
            limit,
            taken: 0,
        })
    }

    /// Goes on until it waits, or something came.
    pub(crate) fn advance(
        &mut self,
        link: &mut Link,
        source: &mut Source,
    ) -> Result<Progress, Fault> {
        let Some(mut h2) = link.h2.take() else {
            return Err(broken());
        };
        let outcome = self.turn(&mut h2, &mut link.wire, source);
        link.h2 = Some(h2);
        outcome
    }

    fn turn(
        &mut self,
        h2: &mut H2,
        wire: &mut Wire,
        source: &mut Source,
    ) -> Result<Progress, Fault> {
        loop {
            let pumped = h2.pump(wire)?;
            let waker = Waker::from(Arc::clone(&h2.flag));
            let mut cx = Context::from_waker(&waker);
            if let Some(progress) = self.step(h2, &mut cx, source)? {
                if matches!(progress, Progress::End | Progress::Waits(_)) {
                    h2.pump(wire)?;
                }
                if let Progress::Waits(Turn::Piece) = progress
                    && pumped
                {
                    continue;
                }
                return Ok(progress);
            }
            let moved = h2.pump(wire)?;
            if !moved && !pumped {
                let buffers = h2.pipe.lock();
                if (buffers.ended || h2.over) && buffers.inbound.is_empty() {
                    return Err(self.closed());
                }
                let waits = if buffers.outbound.is_empty() {
                    Turn::Read
                } else {
                    Turn::Both
                };
                return Ok(Progress::Waits(waits));
            }
        }
    }

    /// What can be done by the state of the protocol; `None` when bytes have to move first.
    fn step(
        &mut self,
        h2: &mut H2,
        cx: &mut Context<'_>,
        source: &mut Source,
    ) -> Result<Option<Progress>, Fault> {
        if self.request.is_some() {
            let Some((send, _)) = &mut h2.running else {
                return Ok(None);
            };
            match send.poll_ready(cx) {
                Poll::Pending => return Ok(None),
                Poll::Ready(Err(error)) => return Err(self.failed(&error)),
                Poll::Ready(Ok(())) => {}
            }
            if let Some(request) = self.request.take() {
                let sent = send.send_request(request, !self.has_body);
                let (response, sending) = sent.map_err(|error| self.failed(&error))?;
                self.response = Some(response);
                self.state.begun = true;
                self.state.sent = !self.has_body;
                self.sending = self.has_body.then_some(sending);
                return Ok(Some(Progress::Moved));
            }
        }
        if !self.state.sent {
            match self.send(cx, source)? {
                Some(Turn::Done) => {
                    self.state.sent = true;
                    return Ok(Some(Progress::Moved));
                }
                Some(turn) if self.state.head.is_none() => {
                    if let Some(progress) = self.receive(cx)? {
                        return Ok(Some(progress));
                    }
                    return Ok(Some(Progress::Waits(turn)));
                }
                _ => {}
            }
        }
        self.receive(cx)
    }

    /// Sends what the window takes; `Done` at the end, `Piece` when the caller must give more.
    fn send(&mut self, cx: &mut Context<'_>, source: &mut Source) -> Result<Option<Turn>, Fault> {
        loop {
            if self.pending.is_empty() && !self.ends {
                if let Some((bytes, at)) = &mut self.whole {
                    let end = bytes.len().min(*at + (64 << 10));
                    self.pending = Bytes::copy_from_slice(&bytes[*at..end]);
                    *at = end;
                    self.ends = end == bytes.len();
                } else {
                    match source.next()? {
                        Piece::Bytes(piece) => self.pending = Bytes::from(piece),
                        Piece::Later => return Ok(Some(Turn::Piece)),
                        Piece::End => self.ends = true,
                    }
                }
                if self.pending.is_empty() && !self.ends {
                    continue;
                }
            }
            let Some(sending) = &mut self.sending else {
                return Ok(Some(Turn::Done));
            };
            if self.pending.is_empty() {
                let last = sending.send_data(Bytes::new(), true);
                self.sending = None;
                return match last {
                    Ok(()) => Ok(Some(Turn::Done)),
                    Err(error) => Err(self.failed(&error)),
                };
            }
            sending.reserve_capacity(self.pending.len());
            match sending.poll_capacity(cx) {
                Poll::Pending => return Ok(None),
                Poll::Ready(None) => {
                    // The server wants no more: what it says counts.
                    self.sending = None;
                    return Ok(Some(Turn::Done));
                }
                Poll::Ready(Some(Err(error))) => return Err(self.failed(&error)),
                Poll::Ready(Some(Ok(room))) => {
                    let piece = self.pending.split_to(room.min(self.pending.len()));
                    if piece.is_empty() {
                        return Ok(None);
                    }
                    let last = self.ends && self.pending.is_empty();
                    if let Err(error) = sending.send_data(piece, last) {
                        return Err(self.failed(&error));
                    }
                    if last {
                        self.sending = None;
                        return Ok(Some(Turn::Done));
                    }
                }
            }
        }
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> Result<Option<Progress>, Fault> {
        if let Some(response) = &mut self.response {
            match Pin::new(response).poll(cx) {
                Poll::Pending => return Ok(None),
                Poll::Ready(Err(error)) => return Err(self.failed(&error)),
                Poll::Ready(Ok(response)) => {
                    self.response = None;
                    self.state.heard = true;
                    let (parts, body) = response.into_parts();
                    if parts.headers.len() > MAX_FIELDS {
                        return Err(broken());
                    }
                    let fields = parts
                        .headers
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_bytes()));
                    let head = Head::from_fields(parts.status.as_u16(), fields);
                    let announced = head
                        .first("content-length")
                        .and_then(|value| std::str::from_utf8(value).ok()?.parse::<u64>().ok());
                    let bodiless = body.is_end_stream();
                    if !bodiless && announced.is_some_and(|length| length > self.limit) {
                        return Err(self.too_large());
                    }
                    self.receiving = Some(body);
                    self.state.head = Some(head);
                    return Ok(Some(Progress::Head));
                }
            }
        }
        let Some(receiving) = &mut self.receiving else {
            return Ok(None);
        };
        match receiving.poll_data(cx) {
            Poll::Pending => Ok(None),
            Poll::Ready(None) => {
                self.receiving = None;
                self.state.done = true;
                Ok(Some(Progress::End))
            }
            Poll::Ready(Some(Err(error))) => Err(self.failed(&error)),
            Poll::Ready(Some(Ok(piece))) => {
                self.taken += piece.len() as u64;
                if self.taken > self.limit {
                    return Err(self.too_large());
                }
                let _ = receiving.flow_control().release_capacity(piece.len());
                self.state.data.extend_from_slice(piece.chunk());
                Ok(Some(if piece.is_empty() {
                    Progress::Moved
                } else {
                    Progress::Piece
                }))
            }
        }
    }

    fn too_large(&self) -> Fault {
        let limit = self.limit;
        Fault::new(
            Kind::TooLarge,
            format!("the response's body is larger than {limit} bytes"),
        )
    }

    fn closed(&self) -> Fault {
        Fault::protocol(if self.state.heard {
            "the connection closed before the response was complete"
        } else {
            "the connection closed before a response came"
        })
    }

    /// What an error of the protocol means, in words that the twin has too.
    fn failed(&mut self, error: &h2::Error) -> Fault {
        if error.is_io() || error.is_go_away() && error.is_remote() {
            self.closed()
        } else if error.is_reset() && error.is_remote() {
            self.state.heard = true;
            Fault::protocol("the server reset the stream")
        } else {
            self.state.heard = true;
            broken()
        }
    }
}
