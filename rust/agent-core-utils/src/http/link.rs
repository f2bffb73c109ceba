//! A connection: a socket that never blocks, with TLS or without, and the bytes read ahead.

use super::fault::{Fault, Kind};
use mio::net::TcpStream;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, ClientConnection};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

const BUFFER: usize = 16 << 10;
const LARGE_BUFFER: usize = 128 << 10;

/// A socket, with TLS or without.
#[derive(Debug)]
pub struct Wire {
    pub(crate) tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Wire {
    /// A plain socket.
    pub fn plain(tcp: TcpStream) -> Self {
        Self { tcp, tls: None }
    }

    /// Puts TLS on top; the handshake is still to be done.
    pub fn secure(&mut self, config: Arc<ClientConfig>, host: &str) -> Result<(), Fault> {
        let bare = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(bare).map_err(|_| handshake_failed(host))?;
        let tls = ClientConnection::new(config, name).map_err(|_| handshake_failed(host))?;
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    /// Goes on with the handshake; `Ok(None)` when done, else whether it waits to write.
    pub fn shake(&mut self, host: &str) -> Result<Option<bool>, Fault> {
        let Some(tls) = &mut self.tls else {
            return Ok(None);
        };
        while tls.is_handshaking() || tls.wants_write() {
            match tls.complete_io(&mut self.tcp) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Some(tls.wants_write()));
                }
                Err(error) => return Err(tls_fault(&error, host)),
            }
        }
        Ok(None)
    }

    /// The protocol agreed upon in the handshake.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.tls.as_ref().and_then(|tls| tls.alpn_protocol())
    }

    /// Whether nothing came and nothing ended while nobody asked.
    fn is_silent(&mut self) -> bool {
        if self.tls.is_none() {
            let outcome = self.tcp.peek(&mut [0]);
            return matches!(outcome, Err(error) if error.kind() == ErrorKind::WouldBlock);
        }
        // Tickets may have come; data and alerts may not.
        let outcome = self.read(&mut [0]);
        matches!(outcome, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.tcp.read(buffer),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.tcp).read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.tcp.write(bytes),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.tcp).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            None => Ok(()),
            Some(tls) => {
                while tls.wants_write() {
                    tls.write_tls(&mut self.tcp)?;
                }
                Ok(())
            }
        }
    }
}

/// What the handshake's failure means, in words that the twin has too.
fn tls_fault(error: &io::Error, host: &str) -> Fault {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(reason)) = inner else {
        return handshake_failed(host);
    };
    let reason = match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name"
        }
        CertificateError::UnknownIssuer => "its issuer is unknown",
        _ => "it is not valid",
    };
    Fault::new(
        Kind::Tls,
        format!("the certificate of '{host}' is not trusted: {reason}"),
    )
}

fn handshake_failed(host: &str) -> Fault {
    Fault::new(Kind::Tls, format!("the TLS handshake with '{host}' failed"))
}

/// A connection that is ready for requests, one at a time.
#[derive(Debug)]
pub struct Link {
    /// The socket.
    pub wire: Wire,
    /// HTTP/2's state, where that was agreed upon.
    pub(crate) h2: Option<super::h2link::H2>,
    /// The reactor's name for it; 0 for none.
    pub token: usize,
    /// When it was last used, in seconds of the client's own clock.
    pub idle_since: f64,
    /// Whether a request was sent over it before.
    pub used: bool,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
}

impl Link {
    /// Of a connected, secured socket.
    pub fn new(wire: Wire) -> Self {
        Self {
            wire,
            h2: None,
            token: 0,
            idle_since: 0.0,
            used: false,
            buffer: Vec::new(),
            from: 0,
            to: 0,
        }
    }

    /// Whether it may carry another request: nothing was read ahead, nothing came, it is open.
    pub fn is_usable(&mut self) -> bool {
        if let Some(h2) = &mut self.h2 {
            return h2.is_usable(&mut self.wire);
        }
        self.from == self.to && self.wire.is_silent()
    }

    /// Bytes read and not taken.
    pub fn ahead(&self) -> &[u8] {
        &self.buffer[self.from..self.to]
    }

    /// Takes bytes from [`Link::ahead`].
    pub fn take(&mut self, count: usize) {
        self.from += count;
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        }
    }

    /// Reads more; `Ok(0)` at the end.
    pub fn fill(&mut self, large: bool) -> io::Result<usize> {
        if self.to == self.buffer.len() {
            if self.from > 0 {
                self.buffer.copy_within(self.from..self.to, 0);
                (self.from, self.to) = (0, self.to - self.from);
            } else {
                self.buffer.resize((self.buffer.len() * 2).max(BUFFER), 0);
            }
        }
        if large && self.buffer.len() < LARGE_BUFFER {
            self.buffer.resize(LARGE_BUFFER, 0);
        }
        loop {
            match self.wire.read(&mut self.buffer[self.to..]) {
                Ok(count) => {
                    self.to += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
