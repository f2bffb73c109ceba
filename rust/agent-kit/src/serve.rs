//! Binds a [`Listen`] and serves a router on it until the shutdown is told, then drains.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

use crate::{Error, Listen, Shutdown};

/// How long requests that run when the shutdown is told may take to finish.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// How long a client may take to send a request's head; also the longest idle keep-alive.
const HEADER_DEADLINE: Duration = Duration::from_mins(1);
/// More connections than this wait to be accepted.
const MAX_CONNECTIONS: usize = 512;
/// Mode of a Unix socket: its group may talk to the daemon, others may not.
const SOCKET_MODE: u32 = 0o660;

/// A listener that has its address already; requests queue in the kernel until [`Bound::serve`].
#[derive(Debug)]
pub struct Bound {
    listener: Listener,
    address: Listen,
    /// Kept for its `Drop`.
    _socket_file: Option<SocketFile>,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// [`bind`] and [`Bound::serve`] in one.
///
/// # Errors
/// As [`bind`].
pub async fn serve(listen: Listen, router: Router, shutdown: Shutdown) -> Result<(), Error> {
    bind(&listen).await?.serve(router, shutdown).await
}

/// Takes the address. A Unix socket appears under its path with mode 0660 already set; a socket
/// file that nobody listens on is replaced, one in use is refused.
///
/// # Errors
/// [`Error::Bind`] with the system's answer.
pub async fn bind(listen: &Listen) -> Result<Bound, Error> {
    let outcome = match listen {
        Listen::Tcp(address) => TcpListener::bind(address).await.and_then(|listener| {
            let address = Listen::Tcp(listener.local_addr()?);
            Ok(Bound {
                listener: Listener::Tcp(listener),
                address,
                _socket_file: None,
            })
        }),
        Listen::Unix(path) => bind_unix(path).await.map(|(listener, file)| Bound {
            listener: Listener::Unix(listener),
            address: listen.clone(),
            _socket_file: Some(file),
        }),
    };
    outcome.map_err(|source| Error::Bind {
        listen: listen.to_string(),
        source,
    })
}

impl Bound {
    /// The address in use; for port 0 the one that the system chose.
    pub fn address(&self) -> &Listen {
        &self.address
    }

    /// Serves until the shutdown is told, then finishes running requests (at most
    /// [`DRAIN_DEADLINE`]) and removes the socket file.
    ///
    /// # Errors
    /// None today: accept errors are logged and retried, as they pass (too many open files).
    pub async fn serve(self, router: Router, shutdown: Shutdown) -> Result<(), Error> {
        tracing::info!(address = %self.address, "listening");
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let slot = tokio::select! {
                slot = Arc::clone(&slots).acquire_owned() => slot,
                () = shutdown.wait() => break,
            };
            let Ok(slot) = slot else { break };
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                () = shutdown.wait() => break,
            };
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_DEADLINE)
                .serve_connection(
                    TokioIo::new(stream),
                    TowerToHyperService::new(router.clone()),
                );
            let watched = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = watched.await {
                    tracing::debug!(%error, "connection ended");
                }
                drop(slot);
            });
        }
        let address = self.address.clone();
        drop(self); // nothing new is accepted while the rest drains
        if tokio::time::timeout(DRAIN_DEADLINE, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!(%address, "requests were still running at the deadline");
        }
        Ok(())
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match &self.listener {
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Listener::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The socket's file; removed at the end unless another daemon has put its own there meanwhile.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if std::fs::metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

async fn bind_unix(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a file that is not a socket is in the way",
            ));
        }
        Ok(_) if tokio::net::UnixStream::connect(path).await.is_ok() => {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        _ => {}
    }
    // Bound under another name and moved: the path never shows a socket with the wrong mode.
    let mut early = path.as_os_str().to_owned();
    early.push(format!(".{}", std::process::id()));
    let early = PathBuf::from(early);
    let _ = std::fs::remove_file(&early);
    let listener = UnixListener::bind(&early)?;
    let made = std::fs::set_permissions(&early, Permissions::from_mode(SOCKET_MODE))
        .and_then(|()| std::fs::rename(&early, path))
        .and_then(|()| std::fs::metadata(path));
    match made {
        Ok(found) => {
            let file = SocketFile {
                path: path.to_path_buf(),
                inode: found.ino(),
            };
            Ok((listener, file))
        }
        Err(error) => {
            let _ = std::fs::remove_file(&early);
            Err(error)
        }
    }
}
