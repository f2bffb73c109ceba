//! A queue that is open: chooses the database, shares commits, waits.

use super::db::Tx;
use super::job::{Draft, Handle, Info, Leased, Result, Settings, State};
use super::postgres::PostgresDb;
use super::sqlite::SqliteDb;
use super::{admin, engine};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a waiting claim looks away.
const POLL: Duration = Duration::from_millis(20);
/// How long the one who commits waits for those who came along last time.
const GATHER: Duration = Duration::from_micros(200);

enum Db {
    Sqlite(Box<SqliteDb>),
    Postgres(Box<PostgresDb>),
}

/// An enqueue that waits for its commit.
struct Waiting {
    now: i64,
    draft: Draft,
    answer: Mutex<Option<Result<Vec<i64>>>>,
}

/// How many enqueues there were, and how many claims wait for the next.
#[derive(Default)]
struct Added {
    count: u64,
    sleepers: usize,
}

/// Who waits for a commit.
#[derive(Default)]
struct Gate {
    waiting: Vec<Arc<Waiting>>,
    /// How many wait for somebody else's commit.
    followers: usize,
    /// Somebody waits for more to come.
    gathering: bool,
    /// Somebody commits.
    busy: bool,
    /// Who committed has panicked.
    broken: bool,
    /// How many took part in the last round, or came while it was committed.
    expected: usize,
}

/// Tells those who wait when the one who commits for them panics.
struct Broken<'a>(&'a Store);

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        locked(&self.0.gate).broken = true;
        self.0.committed.notify_all();
    }
}

/// A task queue in a `SQLite` file or a `PostgreSQL` database. Safe under threads.
pub struct Store {
    db: Db,
    gather: bool,
    gate: Mutex<Gate>,
    arrived: Condvar,
    committed: Condvar,
    added: Mutex<Added>,
    woken: Condvar,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Opens a file, or a `postgresql://` address; `full` as in the contract's durability.
    pub fn open(target: &str, full: bool) -> Result<Self> {
        let postgres = ["postgresql://", "postgres://"];
        let db = if postgres.iter().any(|scheme| target.starts_with(scheme)) {
            Db::Postgres(Box::new(PostgresDb::open(target, full)?))
        } else {
            Db::Sqlite(Box::new(SqliteDb::open(target, full)?))
        };
        Ok(Self {
            db,
            gather: full,
            gate: Mutex::default(),
            arrived: Condvar::new(),
            committed: Condvar::new(),
            added: Mutex::default(),
            woken: Condvar::new(),
        })
    }

    fn transaction<T>(
        &self,
        durable: bool,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T>,
    ) -> Result<T> {
        match &self.db {
            Db::Sqlite(db) => db.transaction(durable, &mut work),
            Db::Postgres(db) => db.transaction(durable, &mut work),
        }
    }

    /// Adds jobs; returns their ids. Concurrent calls share a transaction, and so a flush of
    /// the disk: one of them commits for all that have come, the others wait for it.
    ///
    /// # Panics
    ///
    /// If another thread panicked while it committed for this one.
    pub fn enqueue(&self, now: i64, draft: Draft) -> Result<Vec<i64>> {
        let own = Arc::new(Waiting {
            now,
            draft,
            answer: Mutex::new(None),
        });
        let mut gate = locked(&self.gate);
        gate.waiting.push(Arc::clone(&own));
        if gate.gathering {
            self.arrived.notify_one();
        }
        let answer = loop {
            if let Some(answer) = locked(&own.answer).take() {
                break answer;
            }
            assert!(!gate.broken, "a commit panicked");
            if gate.busy {
                gate.followers += 1;
                let woken = self.committed.wait(gate);
                gate = woken.unwrap_or_else(PoisonError::into_inner);
                gate.followers -= 1;
            } else {
                gate = self.lead(gate);
            }
        };
        drop(gate);
        if answer.is_ok() {
            let mut added = locked(&self.added);
            added.count += 1;
            if added.sleepers > 0 {
                self.woken.notify_all();
            }
        }
        answer
    }

    /// Commits for all that have come.
    fn lead<'a>(&'a self, mut gate: MutexGuard<'a, Gate>) -> MutexGuard<'a, Gate> {
        gate.busy = true;
        if self.gather && gate.expected > 1 {
            // A flush costs more than it takes those of the last round to come back.
            let few = |gate: &mut Gate| gate.waiting.len() < gate.expected;
            gate.gathering = true;
            let waited = self.arrived.wait_timeout_while(gate, GATHER, few);
            gate = waited.unwrap_or_else(PoisonError::into_inner).0;
            gate.gathering = false;
        }
        let together = std::mem::take(&mut gate.waiting);
        let count = together.len();
        drop(gate);
        let broken = Broken(self);
        self.commit(together);
        std::mem::forget(broken);
        let mut gate = locked(&self.gate);
        gate.busy = false;
        gate.expected = count + gate.waiting.len();
        // A notification costs a call of the kernel, whether somebody waits or not.
        if gate.followers > 0 {
            self.committed.notify_all();
        }
        gate
    }

    fn commit(&self, mut together: Vec<Arc<Waiting>>) {
        // Keys in one order everywhere, or two processes wait for each other's.
        together.sort_by(|one, other| {
            let by = |one: &Waiting| {
                let key = one.draft.key.clone();
                key.map(|key| (one.draft.queue.clone(), key))
            };
            by(one).cmp(&by(other))
        });
        if let (Db::Postgres(db), [one]) = (&self.db, together.as_slice())
            && let Some(answer) = db.enqueue(one.now, &one.draft)
        {
            *locked(&one.answer) = Some(answer);
            return;
        }
        let answers = self.transaction(true, |tx| {
            let ids: Result<Vec<_>> = together
                .iter()
                .map(|one| engine::enqueue(tx, one.now, &one.draft))
                .collect();
            tx.notify()?;
            ids
        });
        match answers {
            Ok(ids) => {
                for (one, ids) in together.iter().zip(ids) {
                    *locked(&one.answer) = Some(Ok(ids));
                }
            }
            Err(error) => {
                for one in &together {
                    *locked(&one.answer) = Some(Err(error.clone()));
                }
            }
        }
    }

    /// Acknowledges `done`, then leases up to `limit` jobs for `lease` milliseconds, in one
    /// transaction.
    pub fn claim(
        &self,
        now: i64,
        queue: &str,
        limit: i64,
        lease: i64,
        done: &[Handle],
    ) -> Result<Vec<Leased>> {
        let mut done = done;
        if let Db::Postgres(db) = &self.db {
            match db.claim(now, queue, limit, lease, done)? {
                Some(jobs) if !jobs.is_empty() => return Ok(jobs),
                Some(_) => done = &[], // acknowledged; what is due has to be settled
                None => {}
            }
        }
        self.transaction(false, |tx| {
            tx.ack_many(now, done)?;
            engine::claim(tx, now, queue, limit, lease)
        })
    }

    /// What [`Store::wait`] compares with: take it before looking for jobs in vain.
    pub fn seen(&self) -> Result<(u64, i64)> {
        let changed = match &self.db {
            Db::Sqlite(db) => db.changed()?,
            Db::Postgres(_) => 0,
        };
        Ok((locked(&self.added).count, changed))
    }

    /// Waits until somebody enqueued since `seen`, at most as long as given.
    pub fn wait(&self, seen: (u64, i64), most: Duration) -> Result<()> {
        let db = match &self.db {
            Db::Sqlite(db) => db,
            Db::Postgres(db) => {
                db.wait(most);
                return Ok(());
            }
        };
        let end = Instant::now() + most;
        let mut added = locked(&self.added);
        while added.count == seen.0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            added.sleepers += 1;
            let woken = self.woken.wait_timeout(added, left.min(POLL));
            added = woken.unwrap_or_else(PoisonError::into_inner).0;
            added.sleepers -= 1;
            if db.changed()? != seen.1 {
                break;
            }
        }
        Ok(())
    }

    /// Finishes a leased job well; false if the lease is no longer the job's own.
    pub fn ack(&self, now: i64, job: &Handle, result: Option<&[u8]>) -> Result<bool> {
        self.transaction(false, |tx| engine::ack(tx, now, job, result))
    }

    /// Finishes several; returns how many leases were still the jobs' own.
    pub fn ack_many(&self, now: i64, jobs: &[Handle]) -> Result<usize> {
        self.transaction(false, |tx| tx.ack_many(now, jobs))
    }

    /// Gives a leased job back; its new state, or None if the lease was lost.
    pub fn fail(
        &self,
        now: i64,
        job: &Handle,
        error: &str,
        delay: Option<i64>,
        bury: bool,
        jitter: f64,
    ) -> Result<Option<State>> {
        self.transaction(false, |tx| {
            engine::fail(tx, now, job, error, delay, bury, jitter)
        })
    }

    /// Moves a lease's deadline; false if the lease is no longer the job's own.
    pub fn extend(&self, now: i64, job: &Handle, lease: i64) -> Result<bool> {
        self.transaction(false, |tx| engine::extend(tx, now, job, lease))
    }

    /// Takes an unfinished job out.
    pub fn cancel(&self, now: i64, id: i64) -> Result<bool> {
        self.transaction(false, |tx| admin::cancel(tx, now, id))
    }

    /// Makes an unfinished job dead.
    pub fn bury(&self, now: i64, id: i64, error: &str) -> Result<bool> {
        self.transaction(false, |tx| admin::bury(tx, now, id, error))
    }

    /// Makes a job that does not run ready, with all its attempts.
    pub fn retry(&self, now: i64, id: i64) -> Result<bool> {
        self.transaction(false, |tx| admin::retry(tx, now, id))
    }

    /// What is known of a job.
    pub fn get(&self, now: i64, id: i64) -> Result<Option<Info>> {
        self.transaction(false, |tx| admin::get(tx, now, id))
    }

    /// Jobs by id, those after `after`.
    pub fn list(
        &self,
        now: i64,
        queue: Option<&str>,
        state: Option<State>,
        limit: usize,
        after: i64,
    ) -> Result<Vec<Info>> {
        self.transaction(false, |tx| admin::list(tx, now, queue, state, limit, after))
    }

    /// How many jobs each queue has, by the state's number.
    pub fn counts(&self, now: i64) -> Result<BTreeMap<String, [i64; 6]>> {
        self.transaction(false, |tx| admin::counts(tx, now))
    }

    /// Deletes the jobs of a state that were enqueued at least `age` milliseconds ago.
    pub fn purge(&self, now: i64, queue: &str, state: State, age: i64) -> Result<u64> {
        self.transaction(false, |tx| admin::purge(tx, now, queue, state, age))
    }

    /// Sets a queue's limits.
    pub fn limit(
        &self,
        queue: &str,
        concurrency: Option<i64>,
        interval_us: Option<i64>,
        burst: i64,
    ) -> Result<()> {
        self.transaction(false, |tx| {
            admin::limit(tx, queue, concurrency, interval_us, burst)
        })
    }

    /// Stops or resumes handing out the jobs of a queue.
    pub fn pause(&self, queue: &str, paused: bool) -> Result<()> {
        self.transaction(false, |tx| admin::pause(tx, queue, paused))
    }

    /// The settings of each queue, by name.
    pub fn queues(&self) -> Result<Vec<Settings>> {
        self.transaction(false, admin::queues)
    }

    /// Sets a cron line; `draft` says what is enqueued, and where.
    pub fn schedule(&self, now: i64, name: &str, expression: &str, draft: &Draft) -> Result<()> {
        self.transaction(false, |tx| {
            admin::schedule(tx, now, name, expression, draft)
        })
    }

    /// Removes a cron line; tells whether there was one.
    pub fn unschedule(&self, name: &str) -> Result<bool> {
        self.transaction(false, |tx| admin::unschedule(tx, name))
    }

    /// The cron lines by name: name, queue, expression, when it is due.
    pub fn schedules(&self) -> Result<Vec<(String, String, String, i64)>> {
        self.transaction(false, admin::schedules)
    }

    /// Closes the file or the connections; later calls fail.
    pub fn close(&self) {
        match &self.db {
            Db::Sqlite(db) => db.close(),
            Db::Postgres(db) => db.close(),
        }
    }

    /// Panics in the middle of a transaction, on purpose: for the tests of who catches it.
    #[doc(hidden)]
    pub fn panic_inside(&self) -> Result<()> {
        let _broken = Broken(self);
        self.transaction(false, |_| panic!("on purpose"))
    }
}
