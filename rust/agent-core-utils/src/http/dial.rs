//! Making a connection: address, socket, the proxy's tunnel, TLS; step by step, never blocking.

use super::fault::{Fault, Kind, seconds};
use super::flight::Turn;
use super::head::Head;
use super::link::{Link, Wire};
use super::resolve::Search;
use super::shared::Shared;
use super::url::Url;
use mio::net::TcpStream;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;

/// A connection in the making.
#[derive(Debug)]
pub(crate) struct Dial {
    target: Url,
    /// Whom the socket is connected to: the target, or the proxy.
    peer: Url,
    stage: Stage,
    addresses: Vec<SocketAddr>,
    until: f64,
    link: Option<Link>,
    ask: Vec<u8>,
}

#[derive(Debug)]
enum Stage {
    Find,
    Search(Arc<Search>),
    Connecting,
    Ask,
    Tunnel,
    Secure,
    Shake,
}

impl Dial {
    pub(crate) fn new(shared: &Shared, target: &Url) -> Self {
        let peer = shared
            .config
            .proxy
            .clone()
            .unwrap_or_else(|| target.clone());
        Self {
            target: target.clone(),
            peer,
            stage: Stage::Find,
            addresses: Vec::new(),
            until: shared.elapsed() + shared.config.timeouts.connect,
            link: None,
            ask: Vec::new(),
        }
    }

    pub(crate) fn link(&mut self) -> Option<&mut Link> {
        self.link.as_mut()
    }

    pub(crate) fn until(&self) -> f64 {
        self.until
    }

    pub(crate) fn late(shared: &Shared) -> Fault {
        let within = seconds(shared.config.timeouts.connect);
        Fault::new(Kind::Timeout, format!("no connection within {within} s"))
    }

    pub(crate) fn search(&self) -> Option<&Arc<Search>> {
        match &self.stage {
            Stage::Search(search) => Some(search),
            _ => None,
        }
    }

    /// Goes on; `Ok(Ok(link))` when done.
    #[allow(clippy::too_many_lines)] // one arm a stage
    pub(crate) fn advance(&mut self, shared: &Shared) -> Result<Result<Link, Turn>, Fault> {
        loop {
            match &mut self.stage {
                Stage::Find => match shared
                    .resolver
                    .find(&self.peer, shared.notice.get().cloned())
                {
                    Ok(found) => self.connect(found, None)?,
                    Err(search) => self.stage = Stage::Search(search),
                },
                Stage::Search(search) => match search.take() {
                    None => return Ok(Err(Turn::Name)),
                    Some(found) => {
                        let found = found?;
                        self.connect(found, None)?;
                    }
                },
                Stage::Connecting => {
                    let Some(link) = &mut self.link else {
                        return Err(self.unreachable(None));
                    };
                    let error = match link.wire.tcp.take_error() {
                        Ok(None) => match link.wire.tcp.peer_addr() {
                            Ok(_) => {
                                let _ = link.wire.tcp.set_nodelay(true);
                                self.connected(shared);
                                continue;
                            }
                            Err(error) if error.kind() == ErrorKind::NotConnected => {
                                return Ok(Err(Turn::Write));
                            }
                            Err(error) => error,
                        },
                        Ok(Some(error)) | Err(error) => error,
                    };
                    let rest = std::mem::take(&mut self.addresses);
                    self.connect(rest, Some(error))?;
                }
                Stage::Ask => {
                    let Some(link) = &mut self.link else {
                        return Err(self.unreachable(None));
                    };
                    match link.wire.write(&self.ask) {
                        Ok(sent) => {
                            self.ask.drain(..sent);
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {
                            return Ok(Err(Turn::Write));
                        }
                        Err(_) => return Err(proxy_closed()),
                    }
                    if self.ask.is_empty() {
                        self.stage = Stage::Tunnel;
                    }
                }
                Stage::Tunnel => {
                    let Some(link) = &mut self.link else {
                        return Err(self.unreachable(None));
                    };
                    if let Some((head, length)) = Head::parse(link.ahead())? {
                        if !(200..300).contains(&head.status) {
                            let text = format!("the proxy answered CONNECT with {}", head.status);
                            return Err(Fault::new(Kind::Proxy, text));
                        }
                        link.take(length);
                        if !link.ahead().is_empty() {
                            return Err(Fault::new(
                                Kind::Proxy,
                                "the proxy sent something before the tunnel was used",
                            ));
                        }
                        self.stage = Stage::Secure;
                        continue;
                    }
                    match link.fill(false) {
                        Ok(0) => return Err(proxy_closed()),
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {
                            return Ok(Err(Turn::Read));
                        }
                        Err(_) => return Err(proxy_closed()),
                    }
                }
                Stage::Secure => {
                    let config = shared.tls()?;
                    if let Some(link) = &mut self.link {
                        link.wire.secure(config, &self.target.host)?;
                    }
                    self.stage = Stage::Shake;
                }
                Stage::Shake => {
                    let Some(mut link) = self.link.take() else {
                        return Err(self.unreachable(None));
                    };
                    match link.wire.shake(&self.target.host)? {
                        None => {
                            if link.wire.protocol() == Some(b"h2") {
                                link.h2 = Some(super::h2link::H2::default());
                            }
                            return Ok(Ok(link));
                        }
                        Some(writes) => {
                            self.link = Some(link);
                            return Ok(Err(if writes { Turn::Write } else { Turn::Read }));
                        }
                    }
                }
            }
        }
    }

    /// Begins with the first of the addresses that lets itself be tried.
    fn connect(
        &mut self,
        mut addresses: Vec<SocketAddr>,
        mut last: Option<std::io::Error>,
    ) -> Result<(), Fault> {
        while !addresses.is_empty() {
            match TcpStream::connect(addresses.remove(0)) {
                Ok(tcp) => {
                    self.link = Some(Link::new(Wire::plain(tcp)));
                    self.addresses = addresses;
                    self.stage = Stage::Connecting;
                    return Ok(());
                }
                Err(error) => last = Some(error),
            }
        }
        Err(self.unreachable(last.as_ref()))
    }

    fn connected(&mut self, shared: &Shared) {
        let tunnel = self.target.https && shared.config.proxy.is_some();
        self.stage = if tunnel {
            let place = format!("{}:{}", self.target.host, self.target.port);
            self.ask = format!("CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n").into_bytes();
            if let Some(value) = &shared.config.proxy_authorization {
                self.ask.extend_from_slice(b"proxy-authorization: ");
                self.ask.extend_from_slice(value);
                self.ask.extend_from_slice(b"\r\n");
            }
            self.ask.extend_from_slice(b"\r\n");
            Stage::Ask
        } else {
            // Without TLS there is nothing to shake, and that stage ends at once.
            if self.target.https {
                Stage::Secure
            } else {
                Stage::Shake
            }
        };
    }

    fn unreachable(&self, error: Option<&std::io::Error>) -> Fault {
        let reason = error.map_or_else(|| "no address".to_owned(), ToString::to_string);
        let reason = reason.split(" (os error").next().unwrap_or("").to_owned();
        let place = format!("{}:{}", self.peer.host, self.peer.port);
        Fault::new(Kind::Connect, format!("no connection to {place}: {reason}"))
    }
}

fn proxy_closed() -> Fault {
    Fault::new(Kind::Proxy, "the proxy closed the connection")
}
