//! Names to addresses. The system's resolver blocks, so it runs on a thread of its own.

use super::fault::{Fault, Kind};
use super::url::Url;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an address is remembered.
const FRESH: Duration = Duration::from_secs(30);
const MAX_REMEMBERED: usize = 1024;

/// Told when an address was found; must not block.
pub type Notice = Arc<dyn Fn() + Send + Sync>;

/// An address that is being looked for.
#[derive(Default)]
pub struct Search {
    found: Mutex<Option<Result<Vec<SocketAddr>, Fault>>>,
    ready: Condvar,
}

impl fmt::Debug for Search {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Search")
    }
}

impl Search {
    /// The outcome, when there is one.
    pub fn take(&self) -> Option<Result<Vec<SocketAddr>, Fault>> {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Waits for the outcome, at most so long.
    pub fn wait(&self, most: Duration) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_none() {
            drop(self.ready.wait_timeout(found, most));
        }
    }

    fn settle(&self, outcome: Result<Vec<SocketAddr>, Fault>) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.ready.notify_all();
    }
}

type Known = HashMap<(String, u16), (Instant, Vec<SocketAddr>)>;

/// Looks for addresses and remembers them for a while.
#[derive(Debug, Default)]
pub struct Resolver {
    known: Arc<Mutex<Known>>,
}

impl Resolver {
    /// The addresses of a host at once, or a search for them that ends with a `notice`.
    pub fn find(&self, url: &Url, notice: Option<Notice>) -> Result<Vec<SocketAddr>, Arc<Search>> {
        let host = url.host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, url.port)]);
        }
        let key = (host.to_owned(), url.port);
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((since, found)) = known.get(&key)
                && since.elapsed() < FRESH
            {
                return Ok(found.clone());
            }
        }
        let search = Arc::new(Search::default());
        let (mine, known) = (Arc::clone(&search), Arc::clone(&self.known));
        let look = move || {
            let found: Vec<SocketAddr> = (key.0.as_str(), key.1)
                .to_socket_addrs()
                .map(Iterator::collect)
                .unwrap_or_default();
            if found.is_empty() {
                mine.settle(Err(nowhere(&key.0)));
            } else {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= MAX_REMEMBERED {
                    known.clear();
                }
                known.insert(key, (Instant::now(), found.clone()));
                drop(known);
                mine.settle(Ok(found));
            }
            if let Some(notice) = notice {
                notice();
            }
        };
        let name = "agentcore-resolve".to_owned();
        if std::thread::Builder::new().name(name).spawn(look).is_err() {
            search.settle(Err(nowhere(host)));
        }
        Err(search)
    }
}

fn nowhere(host: &str) -> Fault {
    Fault::new(
        Kind::Connect,
        format!("the address of '{host}' can not be found"),
    )
}
