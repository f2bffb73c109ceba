//! The queue in one `SQLite` file, in WAL mode, shared by processes and by both implementations.
//!
//! Two connections: enqueues are committed with `synchronous=FULL` (unless relaxed), the rest
//! with `NORMAL`. One lock around both spares the process from waiting for itself in `SQLite`.

use super::SCHEMA_VERSION;
use super::db::{Arg, COLUMNS, QUEUE_SHIFT, Row, SENTINEL, Tx, Value, args};
use super::engine;
use super::job::{Error, Handle, Leased, Result};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, ToSql};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const BUSY: Duration = Duration::from_secs(30);
/// Negative: in KiB.
const CACHE_KIB: i64 = -16 << 10;
/// A checkpoint is what flushes where commits do not.
const CHECKPOINT_PAGES: i64 = 4000;
/// Sequence numbers that are counted at one time.
const BLOCK: i64 = 64;
/// Marks the file as a queue of ours.
const APPLICATION_ID: i64 = 0x4147_5155;
const JOB: &str = "lease INTEGER NOT NULL, attempts INTEGER NOT NULL, \
    max_attempts INTEGER NOT NULL, backoff INTEGER NOT NULL, keep INTEGER NOT NULL, \
    created INTEGER NOT NULL, key TEXT, payload BLOB NOT NULL, error TEXT";

fn schema() -> String {
    format!(
        "CREATE TABLE queues(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, \
         paused INTEGER NOT NULL DEFAULT 0, concurrency INTEGER, interval_us INTEGER, \
         burst INTEGER NOT NULL DEFAULT 1, tat_us INTEGER NOT NULL DEFAULT 0, cron_due INTEGER);
         CREATE TABLE ready(id INTEGER PRIMARY KEY, {JOB});
         CREATE TABLE held(id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, \
         state INTEGER NOT NULL, due INTEGER NOT NULL, {JOB}, result BLOB);
         CREATE INDEX held_due ON held(queue, state, due);
         CREATE TABLE keys(queue INTEGER NOT NULL, key TEXT NOT NULL, id INTEGER NOT NULL, \
         PRIMARY KEY(queue, key)) WITHOUT ROWID;
         CREATE TABLE crons(name TEXT PRIMARY KEY, queue INTEGER NOT NULL, \
         expression TEXT NOT NULL, next INTEGER NOT NULL, payload BLOB NOT NULL, \
         priority INTEGER NOT NULL, max_attempts INTEGER NOT NULL, backoff INTEGER NOT NULL, \
         keep INTEGER NOT NULL);
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA_VERSION};"
    )
}

const TAKE: &str = "INSERT INTO held(id, queue, state, due, lease, attempts, max_attempts, \
    backoff, keep, created, key, payload, error) SELECT id, ?, 2, ?, lease + 1, attempts + 1, \
    max_attempts, backoff, keep, created, key, payload, error FROM ready \
    WHERE id >= ? AND id < ? AND lease >= 0 ORDER BY id LIMIT ? \
    RETURNING id, lease, attempts, max_attempts, keep, key, payload";

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Arg::Int(value) => ValueRef::Integer(*value),
            Arg::Text(value) => ValueRef::Text(value.as_bytes()),
            Arg::Blob(value) => ValueRef::Blob(value),
            Arg::Null => ValueRef::Null,
        }))
    }
}

/// The file's two connections.
struct Open {
    normal: Connection,
    full: Option<Connection>,
    names: HashMap<String, i64>,
    /// Of the connection for enqueues, and of the other.
    lanes: [Lanes; 2],
}

pub(super) struct SqliteDb {
    place: String,
    open: Mutex<Option<Open>>,
}

/// Sequence numbers that are counted already and not given away.
#[derive(Clone, Copy)]
struct Block {
    next: i64,
    last: i64,
    /// The file's version, as the connection saw it then.
    version: i64,
}

type Lanes = HashMap<i64, Block>;

struct SqliteTx<'a> {
    connection: &'a Connection,
    names: &'a mut HashMap<String, i64>,
    lanes: &'a mut Lanes,
    place: &'a str,
}

impl SqliteDb {
    pub(super) fn open(place: &str, full: bool) -> Result<Self> {
        if !Path::new(place)
            .parent()
            .is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
        {
            let right = "a file in an existing folder";
            return Err(Error::database("its folder does not exist", place, right));
        }
        let open = Open {
            normal: connect(place, "NORMAL")?,
            full: if full {
                Some(connect(place, "FULL")?)
            } else {
                None
            },
            names: HashMap::new(),
            lanes: Default::default(),
        };
        Ok(Self {
            place: place.to_owned(),
            open: Mutex::new(Some(open)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> Error {
        Error::database("the queue is closed", &self.place, "an open queue")
    }

    /// Runs `work` in a transaction and commits it.
    pub(super) fn transaction<T>(
        &self,
        durable: bool,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<T>,
    ) -> Result<T> {
        let mut open = self.lock();
        let Some(Open {
            normal,
            full,
            names,
            lanes: [of_full, of_normal],
        }) = open.as_mut()
        else {
            return Err(self.closed());
        };
        let (connection, lanes) = match full {
            Some(full) if durable => (&*full, of_full),
            _ => (&*normal, of_normal),
        };
        let mut tx = SqliteTx {
            connection,
            names,
            lanes,
            place: &self.place,
        };
        tx.count("BEGIN IMMEDIATE", &[])?;
        let rollback = Rollback(connection);
        let answer = work(&mut tx).and_then(|answer| tx.count("COMMIT", &[]).map(|_| answer));
        if answer.is_ok() {
            std::mem::forget(rollback);
        } else {
            drop(rollback);
            tx.names.clear();
            tx.lanes.clear();
        }
        answer
    }

    /// Differs after another connection has committed.
    pub(super) fn changed(&self) -> Result<i64> {
        let mut open = self.lock();
        let Some(Open { normal, .. }) = open.as_mut() else {
            return Err(self.closed());
        };
        let read = |connection: &Connection| {
            let mut statement = connection.prepare_cached("PRAGMA data_version")?;
            statement.query_row([], |row| row.get(0))
        };
        read(normal).map_err(|error| wrapped(&error, &self.place))
    }

    /// Closes the file.
    pub(super) fn close(&self) {
        drop(self.lock().take());
    }
}

/// Rolls back when it is dropped, a panic included.
struct Rollback<'a>(&'a Connection);

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        // Where it fails there is nothing left to roll back.
        let _ = self.0.execute_batch("ROLLBACK");
    }
}

impl SqliteTx<'_> {
    fn prepared(&self, sql: &str, args: &[Arg<'_>]) -> Result<CachedStatement<'_>> {
        let bind = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            for (at, arg) in args.iter().enumerate() {
                statement.raw_bind_parameter(at + 1, arg)?;
            }
            Ok(statement)
        };
        bind().map_err(|error| wrapped(&error, self.place))
    }
}

impl Tx for SqliteTx<'_> {
    fn skip(&self) -> &'static str {
        ""
    }

    fn lock(&self) -> &'static str {
        ""
    }

    fn names(&mut self) -> &mut HashMap<String, i64> {
        self.names
    }

    fn run(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>> {
        let mut statement = self.prepared(sql, args)?;
        let width = statement.column_count();
        let mut read = || {
            let mut found = Vec::new();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                let mut values = Vec::with_capacity(width);
                for at in 0..width {
                    values.push(value_of(row.get_ref(at)?));
                }
                found.push(Row::new(values));
            }
            Ok(found)
        };
        read().map_err(|error| wrapped(&error, self.place))
    }

    fn count(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64> {
        let changed = self.prepared(sql, args)?.raw_execute();
        let changed = changed.map_err(|error| wrapped(&error, self.place))?;
        Ok(changed as u64)
    }

    /// Counts up in the lane's last row: it lies in the page that the jobs go into. Numbers
    /// are taken from it in blocks; a block is good until another connection counted on.
    fn sequence(&mut self, lane: i64, count: usize) -> Result<Vec<i64>> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let version = self.run("PRAGMA data_version", &[])?[0].int()?;
        let sentinel = lane | SENTINEL;
        let known = self.lanes.get(&lane).copied();
        let counted = match known {
            Some(block) if block.version == version => Some(block.last),
            _ => {
                let sql = "SELECT created FROM ready WHERE id = ?";
                let rows = self.run(sql, args![sentinel])?;
                rows.into_iter()
                    .next()
                    .map(|mut row| row.int())
                    .transpose()?
            }
        };
        let own = known.filter(|block| Some(block.last) == counted);
        let first = own.map_or(counted.unwrap_or(0) + 1, |block| block.next);
        let next = first + count;
        let mut last = counted.unwrap_or(0);
        if next > last + 1 {
            last = next + BLOCK;
            if counted.is_some() {
                let sql = "UPDATE ready SET created = ? WHERE id = ?";
                self.count(sql, args![last, sentinel])?;
            } else {
                let sql = format!(
                    "INSERT INTO ready(id, {COLUMNS}) VALUES (?, -1, 0, 0, 0, 0, ?, NULL, X'', NULL)"
                );
                self.count(&sql, args![sentinel, last])?;
            }
        }
        let block = Block {
            next,
            last,
            version,
        };
        self.lanes.insert(lane, block);
        Ok((first..next).collect())
    }

    fn take(&mut self, queue: i64, limit: i64, deadline: i64) -> Result<Vec<Leased>> {
        let (low, high) = (queue << QUEUE_SHIFT, (queue + 1) << QUEUE_SHIFT);
        let mut statement = self.prepared(TAKE, args![queue, deadline, low, high, limit])?;
        let mut jobs = Vec::with_capacity(usize::try_from(limit.min(64)).unwrap_or(64));
        let mut read = || {
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                jobs.push(Leased {
                    id: row.get(0)?,
                    lease: row.get(1)?,
                    attempt: row.get(2)?,
                    max_attempts: row.get(3)?,
                    keep: row.get(4)?,
                    key: row.get(5)?,
                    payload: row.get_ref(6)?.as_bytes()?.to_vec(),
                });
            }
            Ok(())
        };
        read().map_err(|error| wrapped(&error, self.place))?;
        drop(statement);
        jobs.sort_unstable_by_key(|job| job.id);
        if let Some(last) = jobs.last() {
            let sql = "DELETE FROM ready WHERE id >= ? AND id <= ? AND lease >= 0";
            self.count(sql, args![low, last.id])?;
        }
        Ok(jobs)
    }

    fn ack_many(&mut self, now: i64, jobs: &[Handle]) -> Result<usize> {
        if jobs.iter().any(|job| job.keep > 0 || job.key.is_some()) {
            return engine::ack_each(self, now, jobs);
        }
        let sql = "DELETE FROM held WHERE id = ? AND lease = ? AND state = 2";
        let mut statement = self.prepared(sql, &[])?;
        let mut each = || {
            let mut acked = 0;
            for job in jobs {
                statement.raw_bind_parameter(1, job.id)?;
                statement.raw_bind_parameter(2, job.lease)?;
                acked += statement.raw_execute()?;
            }
            Ok(acked)
        };
        each().map_err(|error| wrapped(&error, self.place))
    }
}

fn value_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

fn connect(place: &str, synchronous: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(place, flags);
    let connection = opened.map_err(|error| wrapped(&error, place))?;
    let ready = prepare(connection, place, synchronous);
    ready.map_err(|error| match error {
        Failed::Sqlite(error) => wrapped(&error, place),
        Failed::Refused(error) => error,
    })
}

enum Failed {
    Sqlite(rusqlite::Error),
    Refused(Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn prepare(
    mut connection: Connection,
    place: &str,
    synchronous: &str,
) -> std::result::Result<Connection, Failed> {
    connection.set_prepared_statement_cache_capacity(64);
    let mut since = Instant::now();
    connection.busy_handler(Some(move |tries: i32| {
        if tries == 0 {
            since = Instant::now();
        }
        // SQLite's own handler sleeps whole milliseconds; most transactions take less.
        let micros = 50_u64 << tries.clamp(0, 7);
        std::thread::sleep(Duration::from_micros(micros.min(5_000)));
        since.elapsed() < BUSY
    }))?;
    if version(&connection, place)? == 0 {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        if version(&connection, place)? == 0 {
            connection.execute_batch(&schema())?;
        }
        connection.execute_batch("COMMIT")?;
    }
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    if synchronous == "NORMAL" {
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    }
    Ok(connection)
}

/// The schema's version, 0 of an empty file.
fn version(connection: &Connection, place: &str) -> std::result::Result<i64, Failed> {
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = one("PRAGMA application_id")?;
    let version = one("PRAGMA user_version")?;
    let tables = one("SELECT count(*) FROM sqlite_master")?;
    let refused =
        |what: String, right: &str| Err(Failed::Refused(Error::database(what, place, right)));
    if tables > 0 && application != APPLICATION_ID {
        return refused(
            "it is another program's database".to_owned(),
            "a queue's file",
        );
    }
    if version > SCHEMA_VERSION {
        return refused(
            format!("it was written by a newer release (schema {version})"),
            &format!("schema {SCHEMA_VERSION}, or a newer agentcore"),
        );
    }
    Ok(if tables > 0 { version } else { 0 })
}

fn wrapped(error: &rusqlite::Error, place: &str) -> Error {
    let text = match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    let text = text.split(": ").next().unwrap_or(&text).to_owned();
    let expected = if text.contains("not a database") || text.contains("malformed") {
        "a sound file: restore it from a backup, or move it away to start anew".to_owned()
    } else if text.contains("locked") {
        format!(
            "a transaction of others that ends within {} s",
            BUSY.as_secs()
        )
    } else if text.contains("full") {
        "room on the disk".to_owned()
    } else {
        String::new()
    };
    Error::database(format!("SQLite: {text}"), place, &expected)
}
