//! The one signal every part of a daemon waits for.

use tokio::sync::watch;

/// Told once, by SIGTERM, SIGINT or [`Shutdown::trigger`]; every clone hears it.
#[derive(Debug, Clone)]
pub struct Shutdown {
    sender: watch::Sender<bool>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::manual()
    }
}

impl Shutdown {
    /// A shutdown that no signal triggers (tests, embedding).
    pub fn manual() -> Self {
        Self {
            sender: watch::Sender::new(false),
        }
    }

    /// Tells every clone to finish. Telling twice is harmless.
    pub fn trigger(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it was told already.
    pub fn is_triggered(&self) -> bool {
        *self.sender.borrow()
    }

    /// Returns when it is told; at once if it was.
    pub async fn wait(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in `self`, so this can't end by a closed channel.
        let _ = receiver.wait_for(|told| *told).await;
    }
}

/// A shutdown triggered by SIGTERM or SIGINT. Call it inside a tokio runtime.
///
/// # Errors
/// When the system refuses to install the handlers.
pub fn shutdown_signal() -> std::io::Result<Shutdown> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let shutdown = Shutdown::manual();
    let told = shutdown.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = term.recv() => "SIGTERM",
            _ = int.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "draining");
        told.trigger();
    });
    Ok(shutdown)
}
