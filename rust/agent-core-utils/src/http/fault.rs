//! What can go wrong with a request: a kind that becomes an exception's class, and a text.

use std::borrow::Cow;
use std::fmt;

/// The class of a failure; its name is the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// What the caller handed in is not acceptable.
    Input,
    /// No connection could be made; nothing was sent.
    Connect,
    /// The server's certificate or the handshake is not acceptable.
    Tls,
    /// A phase took longer than it may.
    Timeout,
    /// The whole call took longer than it may.
    Deadline,
    /// No connection became free in time.
    Pool,
    /// The other side broke the protocol, or the connection.
    Protocol,
    /// The response is larger than it may be.
    TooLarge,
    /// A redirect that is not followed.
    Redirect,
    /// The origin's circuit breaker is open.
    Circuit,
    /// The proxy refused.
    Proxy,
    /// The client is closed.
    Closed,
    /// The caller's own body raised while it was read.
    Body,
}

impl Kind {
    /// The name under which both twins know the kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Deadline => "deadline",
            Self::Pool => "pool",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::Redirect => "redirect",
            Self::Circuit => "circuit",
            Self::Proxy => "proxy",
            Self::Closed => "closed",
            Self::Body => "body",
        }
    }

    /// The kind of a name; `None` for any other.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        const ALL: [Kind; 13] = [
            Kind::Input,
            Kind::Connect,
            Kind::Tls,
            Kind::Timeout,
            Kind::Deadline,
            Kind::Pool,
            Kind::Protocol,
            Kind::TooLarge,
            Kind::Redirect,
            Kind::Circuit,
            Kind::Proxy,
            Kind::Closed,
            Kind::Body,
        ];
        ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A failure; its text is the Python twin's to the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The class.
    pub kind: Kind,
    /// What happened, in one sentence without a full stop.
    pub text: Cow<'static, str>,
}

impl Fault {
    /// A failure of `kind`.
    pub fn new(kind: Kind, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// The caller's mistake.
    pub fn input(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Input, text)
    }

    /// The other side's mistake.
    pub fn protocol(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Protocol, text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

/// Seconds as both twins write them: without a needless fraction.
#[must_use]
pub fn seconds(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}
