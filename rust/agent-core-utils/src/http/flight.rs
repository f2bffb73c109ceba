//! One request on its way, as a machine that never blocks: a driver asks it to advance, and it
//! says what it waits for.

use super::course::{Course, Step, Wish};
use super::dial::Dial;
use super::exchange::{Exchange, Progress};
use super::fault::{Fault, Kind, seconds};
use super::head::Head;
use super::link::Link;
use super::resolve::Search;
use super::shared::{Order, Origin, Shared, closed};
use super::source::Source;
use super::url::Url;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a flight waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// Its socket to have something to read.
    Read,
    /// Its socket to take more.
    Write,
    /// Either.
    Both,
    /// An address.
    Name,
    /// A place among those under way.
    Place,
    /// A piece of the body that the caller puts in.
    Piece,
    /// That many seconds by the clock of policies.
    Sleep(f64),
    /// Nothing: the outcome is there, or a piece of the streamed body is.
    Done,
}

/// A response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status, version and fields.
    pub head: Head,
    /// The body; empty as long as it is streamed.
    pub body: Vec<u8>,
    /// Where it came from.
    pub url: Url,
    /// The addresses that led there.
    pub history: Vec<String>,
    /// Requests sent for it.
    pub sent: u32,
}

#[derive(Debug)]
enum Stage {
    Begin,
    /// To say so, once.
    Drowsy,
    Sleeping,
    Place,
    Open,
    Dial(Box<Dial>),
    Exchange(Box<Exchange>),
    Over,
}

/// One request on its way.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts, not a state
pub struct Flight {
    course: Course,
    source: Source,
    stage: Stage,
    origin: Arc<Origin>,
    link: Option<Link>,
    placed: bool,
    fresh: bool,
    streamed: bool,
    max_body: u64,
    /// When the present wait has lasted too long, by the client's own clock.
    until: f64,
    /// When the whole has, by the same clock.
    last: f64,
    pooled: f64,
    outcome: Option<Result<Answer, Fault>>,
    piece: Vec<u8>,
    /// Whether the head of a streamed response was handed over.
    handed: bool,
    broke: Option<Fault>,
    wait: f64,
}

impl Flight {
    pub(crate) fn new(shared: &Shared, order: Order) -> Self {
        let Order {
            method,
            url,
            fields,
            source,
            idempotent,
            within,
            max_body,
            streamed,
        } = order;
        let origin = shared.origin(&url);
        let wish = Wish {
            has_body: !matches!(source, Source::Empty),
            replayable: source.is_replayable(),
            method,
            url,
            fields,
            idempotent,
            within,
        };
        let last = shared.elapsed() + within;
        Self {
            course: Course::new(wish, shared.now()),
            source,
            stage: Stage::Begin,
            origin,
            link: None,
            placed: false,
            fresh: false,
            streamed,
            max_body,
            until: f64::INFINITY,
            last,
            pooled: f64::INFINITY,
            outcome: None,
            piece: Vec::new(),
            handed: false,
            broke: None,
            wait: 0.0,
        }
    }

    /// The method and address of the present hop.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{} {}", self.course.method, self.course.url)
    }

    /// The connection in use.
    pub(crate) fn link(&mut self) -> Option<&mut Link> {
        match &mut self.stage {
            Stage::Dial(dial) => dial.link(),
            _ => self.link.as_mut(),
        }
    }

    pub(crate) fn search(&self) -> Option<&Arc<Search>> {
        match &self.stage {
            Stage::Dial(dial) => dial.search(),
            _ => None,
        }
    }

    /// When the driver must call [`Flight::expire`], by the client's own clock.
    #[must_use]
    pub fn until(&self) -> f64 {
        self.until.min(self.last)
    }

    /// Time passed: fails what took too long.
    pub fn expire(&mut self, shared: &Shared) {
        let now = shared.elapsed();
        if now < self.until() || matches!(self.stage, Stage::Over | Stage::Sleeping) {
            return;
        }
        let timeouts = &shared.config.timeouts;
        let fault = if now >= self.last {
            self.course.late()
        } else {
            match &self.stage {
                Stage::Place => {
                    let within = seconds(timeouts.pool);
                    let text = format!("no connection became free within {within} s");
                    self.finish(shared, Err(Fault::new(Kind::Pool, text)));
                    return;
                }
                Stage::Dial(_) => Dial::late(shared),
                Stage::Exchange(exchange) if exchange.is_sent() => {
                    let within = seconds(timeouts.read);
                    Fault::new(
                        Kind::Timeout,
                        format!("nothing was received for {within} s"),
                    )
                }
                _ => {
                    let within = seconds(timeouts.write);
                    Fault::new(
                        Kind::Timeout,
                        format!("nothing could be sent for {within} s"),
                    )
                }
            }
        };
        if matches!(self.stage, Stage::Place) {
            self.finish(shared, Err(fault));
        } else {
            self.failed(shared, fault);
        }
    }

    /// Goes as far as it can.
    pub fn advance(&mut self, shared: &Shared) -> Turn {
        loop {
            if shared.is_closed() && !matches!(self.stage, Stage::Over) {
                self.finish(shared, Err(closed()));
            }
            match &mut self.stage {
                Stage::Begin | Stage::Sleeping => {
                    let now = shared.now();
                    let step =
                        self.course
                            .begin(&shared.config.rules, &mut self.origin.lock().book, now);
                    self.obey(shared, step);
                }
                Stage::Drowsy => {
                    self.stage = Stage::Sleeping;
                    return Turn::Sleep(self.wait);
                }
                Stage::Place => {
                    if !shared.enter() {
                        if self.pooled.is_infinite() {
                            self.pooled = shared.elapsed() + shared.config.timeouts.pool;
                        }
                        self.until = self.pooled;
                        return Turn::Place;
                    }
                    self.placed = true;
                    self.stage = Stage::Open;
                }
                Stage::Open => {
                    let idle = if self.fresh {
                        None
                    } else {
                        shared.idle(&self.origin)
                    };
                    if let Some(link) = idle {
                        self.origin.lock().book.counts.reused += 1;
                        self.exchange(shared, link);
                    } else {
                        let dial = Dial::new(shared, &self.course.url);
                        self.until = dial.until();
                        self.stage = Stage::Dial(Box::new(dial));
                    }
                }
                Stage::Dial(dial) => match dial.advance(shared) {
                    Ok(Ok(link)) => {
                        self.origin.lock().book.counts.opened += 1;
                        self.exchange(shared, link);
                    }
                    Ok(Err(turn)) => return turn,
                    Err(fault) => self.failed(shared, fault),
                },
                Stage::Exchange(exchange) => {
                    let Some(link) = &mut self.link else {
                        self.failed(shared, Fault::protocol("the connection is gone"));
                        continue;
                    };
                    match exchange.advance(link, &mut self.source) {
                        Ok(Progress::Waits(turn)) => return turn,
                        Ok(Progress::Head) if self.streamed && !self.handed => {
                            self.head_came(shared);
                            if self.handed {
                                return Turn::Done;
                            }
                        }
                        Ok(Progress::Piece) if self.handed => {
                            self.touch(shared);
                            return Turn::Done;
                        }
                        Ok(Progress::Moved | Progress::Head | Progress::Piece) => {
                            self.touch(shared);
                        }
                        Ok(Progress::End) => self.answered(shared),
                        Err(fault) => self.failed(shared, fault),
                    }
                }
                Stage::Over => return Turn::Done,
            }
        }
    }

    /// The outcome, once.
    pub fn outcome(&mut self) -> Option<Result<Answer, Fault>> {
        self.outcome.take()
    }

    /// Whether everything came.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Whether something of a streamed response is still to be asked for.
    #[must_use]
    pub fn has_piece(&self) -> bool {
        !self.piece.is_empty() || self.broke.is_some()
    }

    /// The caller wants the next piece of a streamed response: the read timeout begins anew.
    pub fn ask_piece(&mut self, shared: &Shared) {
        self.touch(shared);
    }

    /// The piece of a streamed body that came: empty at the end.
    pub fn piece(&mut self) -> Result<Vec<u8>, Fault> {
        // Nobody waits until the next one is asked for.
        self.until = f64::INFINITY;
        if let Some(fault) = self.broke.take() {
            return Err(fault);
        }
        match &mut self.stage {
            Stage::Exchange(exchange) => {
                let piece = exchange.take_body();
                self.origin.lock().book.counts.received += piece.len() as u64;
                Ok(piece)
            }
            _ => Ok(std::mem::take(&mut self.piece)),
        }
    }

    /// A phase of input or output goes on: its time begins anew.
    fn touch(&mut self, shared: &Shared) {
        if let Stage::Exchange(exchange) = &self.stage {
            let timeouts = &shared.config.timeouts;
            let most = if exchange.is_sent() {
                timeouts.read
            } else {
                timeouts.write
            };
            self.until = shared.elapsed() + most;
        }
    }

    /// Gives everything back before its time.
    pub fn abandon(&mut self, shared: &Shared) {
        if !self.is_over() {
            self.finish(shared, Err(closed()));
        }
    }

    fn obey(&mut self, shared: &Shared, step: Step) {
        match step {
            Step::Send => {
                self.stage = Stage::Place;
                self.pooled = f64::INFINITY;
            }
            Step::Wait(wait) => {
                (self.wait, self.until) = (wait, f64::INFINITY);
                self.until = wait;
                self.stage = Stage::Drowsy;
            }
            Step::Again => self.stage = Stage::Begin,
            Step::Done => {}
            Step::Fail(fault) => self.finish(shared, Err(fault)),
        }
    }

    /// Puts the request on a connection.
    fn exchange(&mut self, shared: &Shared, link: Link) {
        let cookies = if shared.has_cookies.load(Ordering::Acquire) && !self.has_field("cookie") {
            let jar = shared.jar.as_ref().and_then(|jar| jar.lock().ok());
            jar.and_then(|jar| jar.field(&self.course.url, shared.now()))
        } else {
            None
        };
        let mut fields: Vec<(&str, &[u8])> = Vec::with_capacity(8);
        for (name, value) in &shared.config.fields {
            if !self.has_field(name) {
                fields.push((name, value));
            }
        }
        for (name, value) in &self.course.fields {
            fields.push((name, value));
        }
        if let Some(cookies) = &cookies {
            fields.push(("cookie", cookies));
        }
        let proxied = shared.config.proxy.is_some() && !self.course.url.https;
        if let Some(value) = shared
            .config
            .proxy_authorization
            .as_ref()
            .filter(|_| proxied)
        {
            fields.push(("proxy-authorization", value));
        }
        let empty = Source::Empty;
        let source = if self.course.has_body {
            &self.source
        } else {
            &empty
        };
        let exchange = Exchange::new(
            &link,
            (&self.course.method, &self.course.url, &fields),
            source,
            proxied,
            self.max_body,
        );
        match exchange {
            Ok(exchange) => {
                self.link = Some(link);
                self.until = shared.elapsed() + shared.config.timeouts.write;
                self.stage = Stage::Exchange(Box::new(exchange));
            }
            Err(fault) => self.failed(shared, fault),
        }
    }

    fn has_field(&self, name: &str) -> bool {
        self.course.fields.iter().any(|(known, _)| known == name)
    }

    /// A streamed response has begun: is it the caller's, or one to go on from?
    fn head_came(&mut self, shared: &Shared) {
        let Stage::Exchange(exchange) = &self.stage else {
            return;
        };
        let Some(head) = exchange.head().cloned() else {
            return;
        };
        match self.judge(shared, &head) {
            Step::Done => {
                self.handed = true;
                self.until = f64::INFINITY;
                self.outcome = Some(Ok(self.answer(head, Vec::new())));
            }
            step => {
                self.release(shared, false);
                self.turn_to(shared);
                self.obey(shared, step);
            }
        }
    }

    /// A whole response came.
    fn answered(&mut self, shared: &Shared) {
        let Stage::Exchange(exchange) = &mut self.stage else {
            return;
        };
        let body = exchange.take_body();
        let reusable = exchange.is_reusable();
        let head = exchange.take_head();
        self.origin.lock().book.counts.received += body.len() as u64;
        if self.handed {
            self.piece = body;
            self.release(shared, reusable);
            self.stage = Stage::Over;
            return;
        }
        let step = self.judge(shared, &head);
        self.release(shared, reusable);
        if step == Step::Done {
            let answer = self.answer(head, body);
            self.finish(shared, Ok(answer));
        } else {
            self.turn_to(shared);
            self.obey(shared, step);
        }
    }

    fn judge(&mut self, shared: &Shared, head: &Head) -> Step {
        let sets = shared.jar.is_some() && head.first("set-cookie").is_some();
        if sets {
            shared.has_cookies.store(true, Ordering::Release);
        }
        let mut jar = shared
            .jar
            .as_ref()
            .filter(|_| sets)
            .and_then(|jar| jar.lock().ok());
        let wall = if sets || head.status >= 429 {
            shared.wall()
        } else {
            0.0
        };
        self.fresh = false;
        self.course.answered(
            &shared.config.rules,
            &mut self.origin.lock().book,
            jar.as_deref_mut(),
            head,
            (shared.now(), wall),
            &mut || shared.random(),
        )
    }

    fn failed(&mut self, shared: &Shared, fault: Fault) {
        let (mut sent, mut stale) = (false, false);
        if let Stage::Exchange(exchange) = &self.stage {
            sent = exchange.has_begun();
            let used = self.link.as_ref().is_some_and(|link| link.used);
            stale = used && !self.fresh && fault.kind == Kind::Protocol && exchange.is_silent();
        }
        self.release(shared, false);
        if self.handed {
            self.origin.lock().book.counts.failures += 1;
            self.broke = Some(fault);
            self.stage = Stage::Over;
            return;
        }
        self.fresh = stale;
        let step = self.course.failed(
            &shared.config.rules,
            &mut self.origin.lock().book,
            fault,
            (sent, stale),
            shared.now(),
            &mut || shared.random(),
        );
        self.obey(shared, step);
    }

    /// After a redirect: the origin of the new address.
    fn turn_to(&mut self, shared: &Shared) {
        if self.origin.name != self.course.url.origin() {
            self.origin = shared.origin(&self.course.url);
        }
        if !self.course.has_body {
            self.source = Source::Empty;
        }
    }

    fn answer(&self, head: Head, body: Vec<u8>) -> Answer {
        Answer {
            head,
            body,
            url: self.course.url.clone(),
            history: self.course.history.clone(),
            sent: self.course.sent,
        }
    }

    /// Gives connection and place back.
    fn release(&mut self, shared: &Shared, reusable: bool) {
        self.stage = Stage::Begin;
        if let Some(mut link) = self.link.take().filter(|_| reusable) {
            link.used = true;
            shared.keep(&self.origin, link);
        }
        if std::mem::take(&mut self.placed) {
            shared.leave();
        }
    }

    fn finish(&mut self, shared: &Shared, outcome: Result<Answer, Fault>) {
        self.release(shared, false);
        self.course.abandon(&mut self.origin.lock().book);
        self.until = f64::INFINITY;
        if self.handed {
            self.broke = outcome.err();
        } else {
            self.outcome = Some(outcome);
        }
        self.stage = Stage::Over;
    }
}
