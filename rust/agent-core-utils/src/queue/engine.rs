//! What the queue's calls do to the database, once for `SQLite` and `PostgreSQL`.
//!
//! The reference is `engine.py`, which says why ids are places in line.

use super::db::{Arg, COLUMNS, LANE_SHIFT, QUEUE_SHIFT, Tx, args};
use super::job::{Draft, Error, Handle, Leased, Result, State};
use super::{Cron, MAX_PRIORITY, backoff_ms};

const MOST_QUEUES: i64 = (1 << 15) - 1;
const SETTLE_LIMIT: i64 = 1000;
/// Each one lost to another process that had the key and freed it.
const KEY_TRIES: usize = 100;
const EXPIRED: &str = "lease expired";

/// The number of a queue, or None.
pub(crate) fn number(tx: &mut dyn Tx, name: &str) -> Result<Option<i64>> {
    if let Some(known) = tx.names().get(name) {
        return Ok(Some(*known));
    }
    let rows = tx.run("SELECT no FROM queues WHERE name = ?", args![name])?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let no = row.int()?;
    tx.names().insert(name.to_owned(), no);
    Ok(Some(no))
}

/// The number of a queue, which is made if it is not there.
pub(crate) fn number_or_new(tx: &mut dyn Tx, name: &str) -> Result<i64> {
    if let Some(known) = number(tx, name)? {
        return Ok(known);
    }
    let make = "INSERT INTO queues(name) VALUES (?) ON CONFLICT DO NOTHING";
    tx.count(make, args![name])?;
    match number(tx, name)? {
        Some(no) if no <= MOST_QUEUES => Ok(no),
        _ => Err(Error::Value(format!(
            "there can be at most {MOST_QUEUES} queues"
        ))),
    }
}

/// Adds jobs; returns their ids, or that of the job which has the key already.
pub(crate) fn enqueue(tx: &mut dyn Tx, now: i64, draft: &Draft) -> Result<Vec<i64>> {
    let queue = number_or_new(tx, &draft.queue)?;
    add(tx, now, queue, draft)
}

/// Where the jobs of a priority stand in line.
pub(crate) fn lane_of(queue: i64, priority: i64) -> i64 {
    queue << QUEUE_SHIFT | (MAX_PRIORITY - priority) << LANE_SHIFT
}

/// Adds jobs to a queue by its number.
pub(crate) fn add(tx: &mut dyn Tx, now: i64, queue: i64, draft: &Draft) -> Result<Vec<i64>> {
    let count = draft.payloads.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let lane = lane_of(queue, draft.priority);
    let key = draft.key.as_deref();
    let mut ids = match key {
        None => tx.sequence(lane, count)?,
        Some(key) => match own_key(tx, queue, lane, key)? {
            (id, true) => vec![id],
            (id, false) => return Ok(vec![id; count]),
        },
    };
    if key.is_none() {
        for id in &mut ids {
            *id |= lane;
        }
    }
    let delayed = "INSERT INTO held(id, queue, state, due, lease, attempts, max_attempts, backoff, \
        keep, created, key, payload, error) VALUES (?, ?, 0, ?, 0, 0, ?, ?, ?, ?, ?, ?, NULL)";
    let ready = "INSERT INTO ready(id, lease, attempts, max_attempts, backoff, keep, created, key, \
        payload, error) VALUES (?, 0, 0, ?, ?, ?, ?, ?, ?, NULL)";
    for (id, payload) in ids.iter().zip(&draft.payloads) {
        let (most, backoff, keep) = (draft.max_attempts, draft.backoff, draft.keep);
        let payload = payload.as_slice();
        if draft.delay > 0 {
            let due = now + draft.delay;
            let given = args![*id, queue, due, most, backoff, keep, now, key, payload];
            tx.count(delayed, given)?;
        } else {
            let given = args![*id, most, backoff, keep, now, key, payload];
            tx.count(ready, given)?;
        }
    }
    Ok(if key.is_none() {
        ids
    } else {
        vec![ids[0]; count]
    })
}

/// The id of the job that has the key, and whether it is a new one.
fn own_key(tx: &mut dyn Tx, queue: i64, lane: i64, key: &str) -> Result<(i64, bool)> {
    for _ in 0..KEY_TRIES {
        let find = "SELECT id FROM keys WHERE queue = ? AND key = ?";
        if let Some(row) = tx.run(find, args![queue, key])?.first_mut() {
            return Ok((row.int()?, false));
        }
        let id = lane | tx.sequence(lane, 1)?[0];
        let take = "INSERT INTO keys(queue, key, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        if tx.count(take, args![queue, key, id])? > 0 {
            return Ok((id, true));
        }
    }
    let what = format!("the key '{key}' is fought over");
    Err(Error::database(what, "keys", "fewer producers of one key"))
}

const LOOK: &str = "SELECT paused, concurrency, interval_us, burst, tat_us, cron_due, \
    CASE WHEN EXISTS(SELECT 1 FROM held WHERE queue = ? AND state IN (0, 2, 3, 5) AND due <= ?) \
    THEN 1 ELSE 0 END FROM queues WHERE no = ?";

struct Limits {
    paused: bool,
    concurrency: Option<i64>,
    interval: Option<i64>,
    burst: i64,
    tat: i64,
    cron_due: Option<i64>,
    due: bool,
}

fn look(tx: &mut dyn Tx, now: i64, queue: i64, lock: &str) -> Result<Limits> {
    let given = args![queue, now, queue];
    let rows = if lock.is_empty() {
        tx.run(LOOK, given)?
    } else {
        tx.run(&format!("{LOOK}{lock}"), given)?
    };
    let Some(mut row) = rows.into_iter().next() else {
        return Err(Error::database(
            "a queue has vanished",
            "queues",
            "this schema",
        ));
    };
    Ok(Limits {
        paused: row.int()? != 0,
        concurrency: row.maybe_int()?,
        interval: row.maybe_int()?,
        burst: row.int()?,
        tat: row.int()?,
        cron_due: row.maybe_int()?,
        due: row.int()? != 0,
    })
}

/// Settles what is due, then leases the first jobs that the limits allow.
pub(crate) fn claim(
    tx: &mut dyn Tx,
    now: i64,
    name: &str,
    mut limit: i64,
    lease: i64,
) -> Result<Vec<Leased>> {
    let Some(queue) = number(tx, name)? else {
        return Ok(Vec::new());
    };
    let mut limits = look(tx, now, queue, "")?;
    if limits.due || limits.cron_due.is_some_and(|due| due <= now) {
        settle(tx, now, queue)?;
    }
    let lock = tx.lock();
    if !lock.is_empty() && (limits.concurrency.is_some() || limits.interval.is_some()) {
        limits = look(tx, now, queue, lock)?;
    }
    if limits.paused {
        return Ok(Vec::new());
    }
    if let Some(most) = limits.concurrency {
        let sql = "SELECT count(*) FROM held WHERE queue = ? AND state = 2";
        let running = tx.run(sql, args![queue])?[0].int()?;
        limit = limit.min(most - running);
    }
    let start = limits.tat.max(now * 1000);
    if let Some(interval) = limits.interval {
        limit = limit.min((now * 1000 + limits.burst * interval - start).div_euclid(interval));
    }
    if limit <= 0 {
        return Ok(Vec::new());
    }
    let rows = tx.take(queue, limit, now + lease)?;
    if let (Some(interval), false) = (limits.interval, rows.is_empty()) {
        let taken = i64::try_from(rows.len()).unwrap_or(limit);
        let sql = "UPDATE queues SET tat_us = ? WHERE no = ?";
        tx.count(sql, args![start + taken * interval, queue])?;
    }
    Ok(rows)
}

/// Promotes, expires and forgets what is due; enqueues what is scheduled.
pub(crate) fn settle(tx: &mut dyn Tx, now: i64, queue: i64) -> Result<()> {
    let skip = tx.skip();
    for state in [
        State::Delayed,
        State::Running,
        State::Done,
        State::Cancelled,
    ] {
        let due = format!(
            "SELECT id, due, attempts, max_attempts, key FROM held WHERE queue = ? AND state = ? \
             AND due <= ? ORDER BY due, id LIMIT {SETTLE_LIMIT}{skip}"
        );
        for mut row in tx.run(&due, args![queue, state as i64, now])? {
            let (id, due, attempts) = (row.int()?, row.int()?, row.int()?);
            let (most, key) = (row.int()?, row.maybe_text()?);
            match state {
                State::Running if attempts >= most => {
                    let error = Some(EXPIRED);
                    finish(tx, queue, id, key.as_deref(), State::Dead, due, error)?;
                }
                State::Running => {
                    tx.count("UPDATE held SET error = ? WHERE id = ?", args![EXPIRED, id])?;
                    to_ready(tx, id)?;
                }
                State::Delayed => to_ready(tx, id)?,
                _ => drop(tx.count("DELETE FROM held WHERE id = ?", args![id])?),
            }
        }
    }
    let due = format!(
        "SELECT name, expression, payload, priority, max_attempts, backoff, keep FROM crons \
         WHERE queue = ? AND next <= ? ORDER BY name{skip}"
    );
    let due = tx.run(&due, args![queue, now])?;
    let any = !due.is_empty();
    for mut row in due {
        let (name, expression) = (row.text()?, row.text()?);
        let draft = Draft {
            payloads: vec![row.blob()?],
            priority: row.int()?,
            max_attempts: row.int()?,
            backoff: row.int()?,
            keep: row.int()?,
            key: Some(format!("cron:{name}")),
            ..Draft::new("", Vec::new())
        };
        add(tx, now, queue, &draft)?;
        if let Some(next) = Cron::parse(&expression)?.after(now) {
            let sql = "UPDATE crons SET next = ? WHERE name = ?";
            tx.count(sql, args![next, name.as_str()])?;
        } else {
            tx.count("DELETE FROM crons WHERE name = ?", args![name.as_str()])?;
        }
    }
    if any { note_cron(tx, queue) } else { Ok(()) }
}

/// Writes down when the queue's first schedule is due.
pub(crate) fn note_cron(tx: &mut dyn Tx, queue: i64) -> Result<()> {
    let sql = "UPDATE queues SET cron_due = (SELECT min(next) FROM crons WHERE queue = ?) \
        WHERE no = ?";
    tx.count(sql, args![queue, queue]).map(drop)
}

/// Moves a job from `held` into its place in line.
pub(crate) fn to_ready(tx: &mut dyn Tx, id: i64) -> Result<()> {
    let sql =
        format!("INSERT INTO ready(id, {COLUMNS}) SELECT id, {COLUMNS} FROM held WHERE id = ?");
    tx.count(&sql, args![id])?;
    tx.count("DELETE FROM held WHERE id = ?", args![id])
        .map(drop)
}

/// Gives a held job its last state, and its key free.
pub(crate) fn finish(
    tx: &mut dyn Tx,
    queue: i64,
    id: i64,
    key: Option<&str>,
    state: State,
    due: i64,
    error: Option<&str>,
) -> Result<()> {
    let sql = "UPDATE held SET state = ?, due = ?, error = ? WHERE id = ?";
    tx.count(sql, args![state as i64, due, error, id])?;
    free_key(tx, queue, id, key)
}

/// Lets the job's key be used again.
pub(crate) fn free_key(tx: &mut dyn Tx, queue: i64, id: i64, key: Option<&str>) -> Result<()> {
    if let Some(key) = key {
        let sql = "DELETE FROM keys WHERE queue = ? AND key = ? AND id = ?";
        tx.count(sql, args![queue, key, id])?;
    }
    Ok(())
}

/// Finishes a leased job well; tells whether the lease was still its own.
pub(crate) fn ack(tx: &mut dyn Tx, now: i64, job: &Handle, result: Option<&[u8]>) -> Result<bool> {
    let changed = if job.keep > 0 {
        let sql = "UPDATE held SET state = 3, due = ?, result = ?, error = NULL \
            WHERE id = ? AND lease = ? AND state = 2";
        tx.count(sql, args![now + job.keep, result, job.id, job.lease])?
    } else {
        let sql = "DELETE FROM held WHERE id = ? AND lease = ? AND state = 2";
        tx.count(sql, args![job.id, job.lease])?
    };
    if changed > 0 {
        free_key(tx, job.id >> QUEUE_SHIFT, job.id, job.key.as_deref())?;
    }
    Ok(changed > 0)
}

/// Finishes leased jobs well, one by one.
pub(crate) fn ack_each(tx: &mut dyn Tx, now: i64, jobs: &[Handle]) -> Result<usize> {
    let mut acked = 0;
    for job in jobs {
        acked += usize::from(ack(tx, now, job, None)?);
    }
    Ok(acked)
}

/// Gives a leased job back; returns its new state, or None if the lease was lost.
pub(crate) fn fail(
    tx: &mut dyn Tx,
    now: i64,
    job: &Handle,
    error: &str,
    delay: Option<i64>,
    bury: bool,
    jitter: f64,
) -> Result<Option<State>> {
    let sql = format!(
        "SELECT attempts, max_attempts, backoff, key FROM held \
         WHERE id = ? AND lease = ? AND state = 2{}",
        tx.lock()
    );
    let Some(mut row) = tx.run(&sql, args![job.id, job.lease])?.into_iter().next() else {
        return Ok(None);
    };
    let (attempts, most, backoff, key) = (row.int()?, row.int()?, row.int()?, row.maybe_text()?);
    if bury || attempts >= most {
        let queue = job.id >> QUEUE_SHIFT;
        finish(
            tx,
            queue,
            job.id,
            key.as_deref(),
            State::Dead,
            now,
            Some(error),
        )?;
        return Ok(Some(State::Dead));
    }
    let wait = delay.unwrap_or_else(|| backoff_ms(backoff, attempts, jitter));
    tx.count(
        "UPDATE held SET error = ? WHERE id = ?",
        args![error, job.id],
    )?;
    if wait == 0 {
        to_ready(tx, job.id)?;
        return Ok(Some(State::Ready));
    }
    let sql = "UPDATE held SET state = 0, due = ? WHERE id = ?";
    tx.count(sql, &[Arg::Int(now + wait), Arg::Int(job.id)])?;
    Ok(Some(State::Delayed))
}

/// Moves the lease's deadline; tells whether it was still the job's own.
pub(crate) fn extend(tx: &mut dyn Tx, now: i64, job: &Handle, lease: i64) -> Result<bool> {
    let sql = "UPDATE held SET due = ? WHERE id = ? AND lease = ? AND state = 2";
    Ok(tx.count(sql, args![now + lease, job.id, job.lease])? > 0)
}
