//! The healthcheck of an image without a shell: `<binary> probe TARGET`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::listen::parse_tcp;

/// The whole probe's time.
const DEADLINE: Duration = Duration::from_secs(2);
/// As much of an answer as is read.
const MAX_ANSWER: usize = 16 * 1024;

/// The `probe` subcommand; flatten it as `Option<ProbeCommand>`.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ProbeCommand {
    /// Ask a URL once; exit 0 if it answers 200 within 2 seconds, else 1 with the reason.
    Probe {
        /// `http://HOST:PORT/PATH` or `unix:/path/to.sock:/PATH`.
        target: String,
    },
}

impl ProbeCommand {
    /// Runs the probe; prints one line on failure.
    pub fn run(&self) -> ExitCode {
        let Self::Probe { target } = self;
        match probe(target) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                eprintln!("{reason}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Asks `target` once with GET; blocking, at most 2 seconds.
///
/// # Errors
/// One line: what was asked and what it answered.
pub fn probe(target: &str) -> Result<(), String> {
    let end = Instant::now() + DEADLINE;
    ask(target, end).map_err(|reason| format!("{target}: {reason}"))
}

fn ask(target: &str, end: Instant) -> Result<(), String> {
    const RIGHT: &str = "expected http://HOST:PORT/PATH or unix:/path/to.sock:/PATH";
    if let Some(rest) = target.strip_prefix("http://") {
        let slash = rest.find('/').ok_or(RIGHT)?;
        let (authority, path) = rest.split_at(slash);
        let address = parse_tcp(authority)?;
        let stream = TcpStream::connect_timeout(&address, left(end)?)
            .map_err(|error| format!("cannot connect: {error}"))?;
        exchange(stream, authority, path, end, |stream, left| {
            stream.set_read_timeout(Some(left))?;
            stream.set_write_timeout(Some(left))
        })
    } else if let Some(rest) = target.strip_prefix("unix:") {
        let (socket, path) = rest.rsplit_once(':').ok_or(RIGHT)?;
        if !path.starts_with('/') {
            return Err(RIGHT.into());
        }
        let stream =
            UnixStream::connect(socket).map_err(|error| format!("cannot connect: {error}"))?;
        exchange(stream, "localhost", path, end, |stream, left| {
            stream.set_read_timeout(Some(left))?;
            stream.set_write_timeout(Some(left))
        })
    } else {
        Err(RIGHT.into())
    }
}

fn left(end: Instant) -> Result<Duration, String> {
    end.checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or_else(|| format!("no answer within {} s", DEADLINE.as_secs()))
}

fn exchange<S: Read + Write>(
    mut stream: S,
    host: &str,
    path: &str,
    end: Instant,
    limit: impl Fn(&S, Duration) -> std::io::Result<()>,
) -> Result<(), String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    limit(&stream, left(end)?).map_err(|error| error.to_string())?;
    stream
        .write_all(request.as_bytes())
        .map_err(|error| format!("cannot send: {error}"))?;
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 4096];
    while answer.len() < MAX_ANSWER {
        limit(&stream, left(end)?).map_err(|error| error.to_string())?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(_) if left(end).is_err() => left(end).map(drop)?,
            Err(error) => return Err(format!("cannot read the answer: {error}")),
        }
        if answer.starts_with(b"HTTP/1.1 200 ") || answer.starts_with(b"HTTP/1.0 200 ") {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.lines().next().unwrap_or("nothing");
    let why = body.trim().lines().next().unwrap_or("");
    Err(format!("answered {status} {why}").trim_end().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answer_once(text: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = format!("http://{}/readyz", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            stream.write_all(text.as_bytes()).unwrap();
        });
        target
    }

    #[test]
    fn only_200_is_well() {
        assert_eq!(probe(&answer_once("HTTP/1.1 200 OK\r\n\r\n")), Ok(()));
        let target = answer_once("HTTP/1.1 503 Service Unavailable\r\n\r\ndocker: down\n");
        let reason = probe(&target).unwrap_err();
        assert_eq!(
            reason,
            format!("{target}: answered HTTP/1.1 503 Service Unavailable docker: down")
        );
        assert!(probe(&answer_once("")).unwrap_err().contains("answered"));
    }

    #[test]
    fn a_silent_server_is_given_two_seconds() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let begin = Instant::now();
        let reason = probe(&format!("http://{}/", listener.local_addr().unwrap())).unwrap_err();
        assert!(reason.ends_with("no answer within 2 s"), "{reason}");
        assert!(begin.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn wrong_targets_are_explained() {
        for (target, part) in [
            ("ftp://x", "expected http://"),
            ("http://127.0.0.1:80", "expected http://"),
            ("http://nowhere:80/", "is not an IPv4 address"),
            ("unix:/nonexistent.sock", "expected http://"),
            ("unix:/nonexistent.sock:/x", "cannot connect"),
            ("http://127.0.0.1:1/", "cannot connect"),
        ] {
            let reason = probe(target).unwrap_err();
            assert!(reason.contains(part), "{target}: {reason}");
        }
    }
}
