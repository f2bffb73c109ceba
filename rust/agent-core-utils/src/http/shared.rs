//! What the requests of one client share: configuration, origins with their idle connections, cookies.

use super::cookies::Jar;
use super::course::{Book, Rules};
use super::fault::{Fault, Kind};
use super::flight::Flight;
use super::link::Link;
use super::request::Fields;
use super::resolve::{Notice, Resolver};
use super::source::Source;
use super::url::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The most origins that a client remembers the books of.
const MAX_ORIGINS: usize = 4096;

/// Seconds that a phase may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the address to the end of the TLS handshake.
    pub connect: f64,
    /// Without a byte received.
    pub read: f64,
    /// Without a byte sent.
    pub write: f64,
    /// Until a connection is free.
    pub pool: f64,
}

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// Retries, limits, breakers, redirects.
    pub rules: Rules,
    /// For each phase.
    pub timeouts: Timeouts,
    /// The largest body of a response, in bytes.
    pub max_body: u64,
    /// Requests under way at once; others wait.
    pub max_connections: usize,
    /// Idle connections kept of an origin.
    pub max_idle: usize,
    /// Seconds after which an idle connection is not used again.
    pub idle_seconds: f64,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// Whether cookies are kept.
    pub cookies: bool,
    /// An HTTP proxy.
    pub proxy: Option<Url>,
    /// What the proxy wants to see.
    pub proxy_authorization: Option<Vec<u8>>,
    /// The certificates to trust instead of the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Header fields of each request that does not have them.
    pub fields: Fields,
}

/// What a client takes from outside.
#[derive(Default)]
pub struct Hooks {
    /// Seconds that never run backwards, for limits, breakers, deadlines and cookies.
    pub clock: Option<Box<dyn Fn() -> f64 + Send + Sync>>,
    /// Seconds since 1970.
    pub wall: Option<Box<dyn Fn() -> f64 + Send + Sync>>,
    /// Lets seconds pass.
    pub sleep: Option<Box<dyn Fn(f64) + Send + Sync>>,
    /// Numbers from 0 to below 1.
    pub random: Option<Box<dyn Fn() -> f64 + Send + Sync>>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hooks")
    }
}

/// An origin: its book and its idle connections, the latest used last.
#[derive(Debug)]
pub struct Origin {
    /// `scheme://host:port`.
    pub name: String,
    state: Mutex<OriginState>,
}

#[derive(Debug)]
pub(crate) struct OriginState {
    pub(crate) book: Book,
    pub(crate) idle: Vec<Link>,
}

impl Origin {
    pub(crate) fn lock(&self) -> MutexGuard<'_, OriginState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a caller asks for, checked.
#[derive(Debug)]
pub struct Order {
    /// The method.
    pub method: String,
    /// Where to.
    pub url: Url,
    /// The caller's header fields.
    pub fields: Fields,
    /// The body.
    pub source: Source,
    /// Whether sending it twice does no harm, if the caller says.
    pub idempotent: Option<bool>,
    /// Seconds for the whole; infinite for no bound.
    pub within: f64,
    /// The largest body of the response.
    pub max_body: u64,
    /// Whether the caller reads the body piece by piece.
    pub streamed: bool,
}

/// What the requests of one client share.
pub struct Shared {
    /// How it behaves.
    pub config: Config,
    /// What it takes from outside.
    pub hooks: Hooks,
    pub(crate) resolver: Resolver,
    /// Cookies; `None` when they are not kept.
    pub(crate) jar: Option<Mutex<Jar>>,
    pub(crate) has_cookies: AtomicBool,
    origins: Mutex<HashMap<String, Arc<Origin>>>,
    started: Instant,
    closed: AtomicBool,
    busy: AtomicUsize,
    reactors: AtomicUsize,
    gate: Mutex<usize>,
    freed: Condvar,
    dice: Mutex<u64>,
    tls: OnceLock<Result<Arc<ClientConfig>, Fault>>,
    /// Told when an address was found.
    pub(crate) notice: OnceLock<Notice>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// A client's common part.
    #[must_use]
    pub fn new(config: Config, hooks: Hooks) -> Self {
        let seed = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(1, |since| since.subsec_nanos());
        Self {
            jar: config.cookies.then(Mutex::default),
            has_cookies: AtomicBool::new(false),
            config,
            hooks,
            resolver: Resolver::default(),
            origins: Mutex::default(),
            started: Instant::now(),
            closed: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
            reactors: AtomicUsize::new(0),
            gate: Mutex::new(0),
            freed: Condvar::new(),
            dice: Mutex::new(u64::from(seed) | 1),
            tls: OnceLock::new(),
            notice: OnceLock::new(),
        }
    }

    /// A request, ready to be driven.
    pub fn flight(&self, order: Order) -> Result<Flight, Fault> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        Ok(Flight::new(self, order))
    }

    /// Seconds since the client was made: for timeouts of input and output.
    #[must_use]
    pub fn elapsed(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// The clock of policies.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.hooks
            .clock
            .as_ref()
            .map_or_else(|| self.elapsed(), |clock| clock())
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn wall(&self) -> f64 {
        self.hooks.wall.as_ref().map_or_else(
            || {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                since.map_or(0.0, |since| since.as_secs_f64())
            },
            |wall| wall(),
        )
    }

    /// A number from 0 to below 1; jitter needs no secrecy.
    pub fn random(&self) -> f64 {
        if let Some(random) = &self.hooks.random {
            return random();
        }
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        (*dice >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The origin of an address.
    pub fn origin(&self, url: &Url) -> Arc<Origin> {
        let name = url.origin();
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(origin) = origins.get(&name) {
            return Arc::clone(origin);
        }
        if origins.len() >= MAX_ORIGINS {
            origins.clear();
        }
        let state = OriginState {
            book: Book::new(&self.config.rules, self.now()),
            idle: Vec::new(),
        };
        let origin = Arc::new(Origin {
            name: name.clone(),
            state: Mutex::new(state),
        });
        origins.insert(name, Arc::clone(&origin));
        origin
    }

    /// Each origin's name, breaker and counts, by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<(String, &'static str, super::course::Counts)> {
        let now = self.now();
        let origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = origins
            .values()
            .map(|origin| {
                let state = origin.lock();
                (
                    origin.name.clone(),
                    state.book.breaker(now),
                    state.book.counts,
                )
            })
            .collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// An idle connection that still is one; the latest used first.
    pub(crate) fn idle(&self, origin: &Origin) -> Option<Link> {
        loop {
            let mut link = origin.lock().idle.pop()?;
            if self.elapsed() - link.idle_since <= self.config.idle_seconds && link.is_usable() {
                return Some(link);
            }
        }
    }

    /// Keeps a connection for later, if there is room.
    pub(crate) fn keep(&self, origin: &Origin, mut link: Link) {
        link.idle_since = self.elapsed();
        let mut state = origin.lock();
        if !self.is_closed() && state.idle.len() < self.config.max_idle {
            state.idle.push(link);
        }
    }

    /// Takes a place among those under way; `false` when there is none.
    pub(crate) fn enter(&self) -> bool {
        if self.busy.fetch_add(1, Ordering::AcqRel) < self.config.max_connections {
            return true;
        }
        self.leave();
        false
    }

    /// Gives the place back.
    pub(crate) fn leave(&self) {
        let before = self.busy.fetch_sub(1, Ordering::AcqRel);
        if before >= self.config.max_connections {
            drop(self.gate.lock());
            self.freed.notify_one();
        }
    }

    /// A number for one more reactor.
    pub(crate) fn next_reactor(&self) -> usize {
        self.reactors.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many are under way.
    pub(crate) fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    /// Waits until a place may be free, at most so long.
    pub(crate) fn await_place(&self, most: Duration) {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        // A place given back between the look and the wait is found after a short while.
        drop(
            self.freed
                .wait_timeout(gate, most.min(Duration::from_millis(20))),
        );
    }

    /// Refuses further requests and closes what is idle.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        for origin in origins.values() {
            origin.lock().idle.clear();
        }
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The TLS configuration; roots are read when first needed.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, Fault> {
        self.tls.get_or_init(|| tls_config(&self.config)).clone()
    }
}

/// That the client is closed.
pub(crate) fn closed() -> Fault {
    Fault::new(Kind::Closed, "the client is closed")
}

fn tls_config(config: &Config) -> Result<Arc<ClientConfig>, Fault> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &config.ca_file {
        let unusable = || {
            let text = format!(
                "'{}' holds no certificate that can be trusted",
                file.display()
            );
            Fault::new(Kind::Tls, text)
        };
        let found = CertificateDer::pem_file_iter(file).map_err(|_| unusable())?;
        for certificate in found {
            let certificate = certificate.map_err(|_| unusable())?;
            roots.add(certificate).map_err(|_| unusable())?;
        }
        if roots.is_empty() {
            return Err(unusable());
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::new(Kind::Tls, error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = if config.http2 {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    } else {
        vec![b"http/1.1".to_vec()]
    };
    Ok(Arc::new(tls))
}
