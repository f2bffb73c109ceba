//! One look at a host through its mounted trees: what the checks ask, read once and kept.

pub mod accounts;
pub mod containers;
pub mod daemon;
pub mod listeners;
pub mod modes;
pub mod processes;
pub mod root;
pub mod sshd;
pub mod sysctl;
pub mod walk;

use std::cell::OnceCell;
use std::path::PathBuf;

use self::containers::Containers;
use self::daemon::Daemon;
use self::listeners::Listener;
use self::processes::Process;
use self::root::{Root, Unreadable};
use self::walk::Walk;

/// A host as seen through its root and its procfs. What was read once is not read again,
/// so all checks of one audit speak of the same moment.
#[derive(Debug)]
pub struct Host {
    /// The host's `/`.
    pub root: Root,
    /// The host's `/proc`.
    pub procfs: Root,
    daemon: OnceCell<Daemon>,
    containers: OnceCell<Containers>,
    listeners: OnceCell<Result<Vec<Listener>, Unreadable>>,
    processes: OnceCell<Result<Vec<Process>, Unreadable>>,
    walk: OnceCell<Walk>,
}

impl Host {
    /// The host whose `/` and `/proc` are mounted at these places.
    pub fn new(rootfs: impl Into<PathBuf>, procfs: impl Into<PathBuf>) -> Self {
        Self {
            root: Root::new(rootfs),
            procfs: Root::new(procfs),
            daemon: OnceCell::new(),
            containers: OnceCell::new(),
            listeners: OnceCell::new(),
            processes: OnceCell::new(),
            walk: OnceCell::new(),
        }
    }

    /// The Docker daemon's configuration.
    pub fn daemon(&self) -> &Daemon {
        self.daemon.get_or_init(|| Daemon::read(self))
    }

    /// The containers of the Docker engine.
    pub fn containers(&self) -> &Containers {
        self.containers.get_or_init(|| Containers::read(self))
    }

    /// The listening TCP sockets of the host's network namespace.
    pub fn listeners(&self) -> Result<&[Listener], &Unreadable> {
        let read = self.listeners.get_or_init(|| listeners::read(self));
        read.as_deref()
    }

    /// The processes the host's procfs shows, by process id.
    pub fn processes(&self) -> Result<&[Process], &Unreadable> {
        let read = self.processes.get_or_init(|| processes::read(self));
        read.as_deref()
    }

    /// The walk over the key paths.
    pub fn walk(&self) -> &Walk {
        self.walk.get_or_init(|| walk::walk(&self.root))
    }
}
