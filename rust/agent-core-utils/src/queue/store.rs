//! A queue that is open: chooses the database, shares commits, waits.

use super::db::Tx;
use super::job::{Draft, Handle, Info, Leased, Result, Settings, State};
use super::postgres::PostgresDb;
use super::sqlite::SqliteDb;
use super::{Error, admin, engine};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a waiting claim looks away.
const POLL: Duration = Duration::from_millis(20);
/// How long the one who commits waits for those who came along last time.
const GATHER: Duration = Duration::from_micros(200);

enum Db {
    Sqlite(SqliteDb),
    Postgres(PostgresDb),
}

/// An enqueue that waits for its commit.
struct Waiting {
    now: i64,
    draft: Draft,
    answer: Mutex<Option<Result<Vec<i64>>>>,
}

/// A task queue in a `SQLite` file or a `PostgreSQL` database. Safe under threads.
pub struct Store {
    db: Db,
    gather: bool,
    waiting: Mutex<Vec<Arc<Waiting>>>,
    /// Held by the one who commits; how many commits it shared last.
    committing: Mutex<usize>,
    added: Mutex<u64>,
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
            Db::Postgres(PostgresDb::open(target, full)?)
        } else {
            Db::Sqlite(SqliteDb::open(target, full)?)
        };
        Ok(Self {
            db,
            gather: full,
            waiting: Mutex::default(),
            committing: Mutex::new(1),
            added: Mutex::new(0),
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
    /// the disk: who waits for the lock finds its jobs committed by the one who had it.
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
        locked(&self.waiting).push(Arc::clone(&own));
        {
            let mut last = self.committing.lock().expect("a commit panicked");
            if locked(&own.answer).is_none() {
                if self.gather && *last > 1 {
                    self.wait_for(*last);
                }
                let together = std::mem::take(&mut *locked(&self.waiting));
                *last = together.len();
                self.commit(together);
            }
        }
        let answer = locked(&own.answer).take();
        if matches!(answer, Some(Ok(_))) {
            *locked(&self.added) += 1;
            self.woken.notify_all();
        }
        answer.unwrap_or_else(|| Err(Error::database("the commit has no answer", "enqueue", "")))
    }

    /// Lets the others of the last round come along: a flush costs more than they do.
    fn wait_for(&self, count: usize) {
        let end = Instant::now() + GATHER;
        while locked(&self.waiting).len() < count && Instant::now() < end {
            std::thread::yield_now();
        }
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
        if let (Db::Postgres(db), [one]) = (&self.db, together.as_slice()) {
            if let Some(answer) = db.enqueue(one.now, &one.draft) {
                *locked(&one.answer) = Some(answer);
                return;
            }
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
            for job in done {
                engine::ack(tx, now, job, None)?;
            }
            engine::claim(tx, now, queue, limit, lease)
        })
    }

    /// What [`Store::wait`] compares with: take it before looking for jobs in vain.
    pub fn seen(&self) -> Result<(u64, i64)> {
        let changed = match &self.db {
            Db::Sqlite(db) => db.changed()?,
            Db::Postgres(_) => 0,
        };
        Ok((*locked(&self.added), changed))
    }

    /// Waits until somebody enqueued since `seen`, at most as long as given.
    pub fn wait(&self, seen: (u64, i64), most: Duration) -> Result<()> {
        let Db::Sqlite(db) = &self.db else {
            return self.wait_postgres(most);
        };
        let end = Instant::now() + most;
        let mut added = locked(&self.added);
        while *added == seen.0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            added = self
                .woken
                .wait_timeout(added, left.min(POLL))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if db.changed()? != seen.1 {
                break;
            }
        }
        Ok(())
    }

    fn wait_postgres(&self, most: Duration) -> Result<()> {
        match &self.db {
            Db::Postgres(db) => db.wait(most),
            Db::Sqlite(_) => Ok(()),
        }
    }

    /// Finishes a leased job well; false if the lease is no longer the job's own.
    pub fn ack(&self, now: i64, job: &Handle, result: Option<&[u8]>) -> Result<bool> {
        self.transaction(false, |tx| engine::ack(tx, now, job, result))
    }

    /// Finishes several; returns how many leases were still the jobs' own.
    pub fn ack_many(&self, now: i64, jobs: &[Handle]) -> Result<usize> {
        self.transaction(false, |tx| {
            let mut acked = 0;
            for job in jobs {
                acked += usize::from(engine::ack(tx, now, job, None)?);
            }
            Ok(acked)
        })
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
        let _held = self.committing.lock();
        self.transaction(false, |_| panic!("on purpose"))
    }
}
