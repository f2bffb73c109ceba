//! `statvfs` with a deadline: a dead NFS server or FUSE daemon must not hold the scrape.
//!
//! The call can't be interrupted, so it runs on a thread of its own. A thread that doesn't answer
//! in time is left to its mount, and the mount isn't asked again until that thread has come back:
//! there are never more threads than hung mounts, plus one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Capacity;
use crate::host::statvfs;

type Answer = Result<Capacity, String>;
type Ask = fn(&Path) -> Answer;

#[derive(Debug)]
struct Worker {
    questions: Sender<PathBuf>,
    answers: Receiver<Answer>,
}

#[derive(Debug, Default)]
struct State {
    idle: Option<Worker>,
    hung: HashMap<PathBuf, Receiver<Answer>>,
}

/// Asks file systems for their capacity, at most so long.
#[derive(Debug)]
pub(crate) struct Statter {
    ask: Ask,
    state: Mutex<State>,
}

impl Default for Statter {
    fn default() -> Self {
        Self::new(statvfs)
    }
}

impl Statter {
    fn new(ask: Ask) -> Self {
        Self {
            ask,
            state: Mutex::default(),
        }
    }

    /// The capacity at `path`, or why there is none.
    pub fn stat(&self, path: &Path, budget: Duration) -> Answer {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pending) = state.hung.get(path) {
            match pending.try_recv() {
                Err(std::sync::mpsc::TryRecvError::Empty) => return Err(hung()),
                _ => drop(state.hung.remove(path)),
            }
        }
        if budget.is_zero() {
            return Err(hung());
        }
        let worker = match state.idle.take() {
            Some(worker) => worker,
            None => self.start()?,
        };
        if worker.questions.send(path.to_path_buf()).is_err() {
            return Err("the file system thread has ended".into());
        }
        match worker.answers.recv_timeout(budget) {
            Ok(answer) => {
                state.idle = Some(worker);
                answer
            }
            Err(RecvTimeoutError::Timeout) => {
                state.hung.insert(path.to_path_buf(), worker.answers);
                Err(hung())
            }
            Err(RecvTimeoutError::Disconnected) => Err("the file system thread has ended".into()),
        }
    }

    fn start(&self) -> Result<Worker, String> {
        let (questions, asked) = channel::<PathBuf>();
        let (reply, answers) = channel();
        let ask = self.ask;
        std::thread::Builder::new()
            .name("statvfs".into())
            .spawn(move || {
                while let Ok(path) = asked.recv() {
                    if reply.send(ask(&path)).is_err() {
                        break;
                    }
                }
            })
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Worker { questions, answers })
    }
}

fn hung() -> String {
    "does not answer".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    static ASKED: AtomicU32 = AtomicU32::new(0);

    #[allow(clippy::unnecessary_wraps)] // the signature of `Ask`
    fn slow(path: &Path) -> Answer {
        if path.ends_with("hung") {
            ASKED.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(600));
        }
        Ok(Capacity::default())
    }

    #[test]
    fn a_hung_mount_costs_its_budget_once() {
        let statter = Statter::new(slow);
        let budget = Duration::from_millis(50);
        let begin = Instant::now();
        assert_eq!(statter.stat(Path::new("/hung"), budget), Err(hung()));
        assert!(begin.elapsed() >= budget);
        assert!(statter.stat(Path::new("/fine"), budget).is_ok());
        let again = Instant::now();
        assert_eq!(statter.stat(Path::new("/hung"), budget), Err(hung()));
        assert!(again.elapsed() < budget, "it isn't waited for again");
        assert_eq!(ASKED.load(Ordering::SeqCst), 1, "nor asked again");
        std::thread::sleep(Duration::from_millis(700));
        // The mount has come back: it is asked once more.
        let patient = Duration::from_secs(5);
        assert!(statter.stat(Path::new("/hung"), patient).is_ok());
        assert_eq!(ASKED.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_real_file_system_answers() {
        let found = Statter::default()
            .stat(Path::new("/"), Duration::from_secs(5))
            .unwrap();
        assert!(found.block_size > 0);
        let missing = Statter::default().stat(Path::new("/nonexistent"), Duration::from_secs(5));
        assert_eq!(missing, Err("No such file or directory".into()));
    }
}
