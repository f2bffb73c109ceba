//! What an error number says: about the port, or about ourselves. And how many sockets we may open.

use rustix::io::Errno;

use super::State;

/// Descriptors left to the rest of the process.
const SPARE: u64 = 64;

/// Sockets this process may open at once, below its limit of open files.
pub fn socket_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let usable = limit.unwrap_or(1 << 20).saturating_sub(SPARE);
    usize::try_from(usable).unwrap_or(usize::MAX).max(1)
}

/// The system ran out of something that comes back when other probes end.
pub fn is_shortage(errno: Errno) -> bool {
    [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOBUFS,
        Errno::NOMEM,
        Errno::AGAIN,
    ]
    .contains(&errno)
}

/// The meaning of an error that came from the network, after the probe was sent.
/// Unreachable means that something between us and the port said so: filtered, with its word.
pub fn from_network(errno: Errno) -> (State, &'static str) {
    match errno {
        Errno::CONNREFUSED => (State::Closed, "refused"),
        Errno::CONNRESET => (State::Closed, "reset"),
        Errno::TIMEDOUT => (State::Filtered, "no_answer"),
        Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::ACCESS | Errno::PERM => {
            (State::Filtered, name(errno))
        }
        other => (State::LocalError, name(other)),
    }
}

/// The meaning of an error of `socket` or `connect` itself, before anything was sent.
pub fn from_system(errno: Errno) -> (State, &'static str) {
    match errno {
        Errno::CONNREFUSED => (State::Closed, "refused"),
        other => (State::LocalError, name(other)),
    }
}

/// The symbolic names of the errors that connecting can meet.
fn name(errno: Errno) -> &'static str {
    match errno {
        Errno::PERM => "EPERM",
        Errno::AGAIN => "EAGAIN",
        Errno::NOMEM => "ENOMEM",
        Errno::ACCESS => "EACCES",
        Errno::INVAL => "EINVAL",
        Errno::NFILE => "ENFILE",
        Errno::MFILE => "EMFILE",
        Errno::AFNOSUPPORT => "EAFNOSUPPORT",
        Errno::ADDRINUSE => "EADDRINUSE",
        Errno::ADDRNOTAVAIL => "EADDRNOTAVAIL",
        Errno::NETDOWN => "ENETDOWN",
        Errno::NETUNREACH => "ENETUNREACH",
        Errno::CONNABORTED => "ECONNABORTED",
        Errno::NOBUFS => "ENOBUFS",
        Errno::HOSTUNREACH => "EHOSTUNREACH",
        _ => "other_error",
    }
}
