//! What an operator asks of the queue: look, cancel, bury, retry, purge, limit, schedule.

use super::db::{COLUMNS, LANE_SHIFT, QUEUE_SHIFT, Row, Tx, args};
use super::engine::{finish, free_key, note_cron, number, number_or_new, settle, to_ready};
use super::job::{Draft, Error, Info, Result, Settings, State};
use super::{Cron, MAX_PRIORITY};
use std::collections::{BTreeMap, HashMap};

const FROM_READY: &str = "SELECT id, 1, NULL, lease, attempts, max_attempts, created, key, error, \
    payload, NULL FROM ready WHERE lease >= 0";
const FROM_HELD: &str = "SELECT id, state, due, lease, attempts, max_attempts, created, key, \
    error, payload, result FROM held WHERE 0 = 0";

type Names = HashMap<i64, String>;

fn names(tx: &mut dyn Tx) -> Result<Names> {
    let rows = tx.run("SELECT no, name FROM queues ORDER BY no", &[])?;
    rows.into_iter()
        .map(|mut row| Ok((row.int()?, row.text()?)))
        .collect()
}

fn settle_all(tx: &mut dyn Tx, now: i64) -> Result<Names> {
    let names = names(tx)?;
    let mut numbers: Vec<i64> = names.keys().copied().collect();
    numbers.sort_unstable();
    for queue in numbers {
        settle(tx, now, queue)?;
    }
    Ok(names)
}

/// Jobs by id, those after `after`.
pub(super) fn list(
    tx: &mut dyn Tx,
    now: i64,
    queue: Option<&str>,
    state: Option<State>,
    limit: usize,
    after: i64,
) -> Result<Vec<Info>> {
    let names = settle_all(tx, now)?;
    let (mut low, mut high) = (0, 1 << 62);
    if let Some(queue) = queue {
        let Some(no) = number(tx, queue)? else {
            return Ok(Vec::new());
        };
        (low, high) = (no << QUEUE_SHIFT, (no + 1) << QUEUE_SHIFT);
    }
    let low = low.max(after + 1);
    let span = " AND id >= ? AND id < ?";
    let end = format!(" ORDER BY id LIMIT {limit}");
    let mut rows = Vec::new();
    if matches!(state, None | Some(State::Ready)) {
        rows.extend(tx.run(&format!("{FROM_READY}{span}{end}"), args![low, high])?);
    }
    match state {
        None => rows.extend(tx.run(&format!("{FROM_HELD}{span}{end}"), args![low, high])?),
        Some(State::Ready) => {}
        Some(state) => {
            let sql = format!("{FROM_HELD}{span} AND state = {}{end}", state as i64);
            rows.extend(tx.run(&sql, args![low, high])?);
        }
    }
    let mut found = Vec::with_capacity(rows.len());
    for mut row in rows {
        found.push(info(&names, &mut row)?);
    }
    found.sort_by_key(|job| job.id);
    found.truncate(limit);
    Ok(found)
}

/// One job.
pub(super) fn get(tx: &mut dyn Tx, now: i64, id: i64) -> Result<Option<Info>> {
    let names = names(tx)?;
    if !names.contains_key(&(id >> QUEUE_SHIFT)) {
        return Ok(None);
    }
    settle(tx, now, id >> QUEUE_SHIFT)?;
    for sql in [FROM_READY, FROM_HELD] {
        if let Some(row) = tx.run(&format!("{sql} AND id = ?"), args![id])?.first_mut() {
            return info(&names, row).map(Some);
        }
    }
    Ok(None)
}

fn info(names: &Names, row: &mut Row) -> Result<Info> {
    let (id, state) = (row.int()?, row.int()?);
    let state = State::ALL.into_iter().find(|known| *known as i64 == state);
    Ok(Info {
        id,
        queue: names.get(&(id >> QUEUE_SHIFT)).cloned().unwrap_or_default(),
        state: state.ok_or_else(|| Error::database("an unknown state", "held", "this schema"))?,
        priority: MAX_PRIORITY - (id >> LANE_SHIFT & 0xFF),
        due: row.maybe_int()?,
        lease: row.int()?,
        attempts: row.int()?,
        max_attempts: row.int()?,
        created: row.int()?,
        key: row.maybe_text()?,
        error: row.maybe_text()?,
        payload: row.blob()?,
        result: row.maybe_blob()?,
    })
}

/// How many jobs each queue has in each state.
pub(super) fn counts(tx: &mut dyn Tx, now: i64) -> Result<BTreeMap<String, [i64; 6]>> {
    let names = settle_all(tx, now)?;
    let mut found: BTreeMap<String, [i64; 6]> = BTreeMap::new();
    let ready = "SELECT count(*) FROM ready WHERE lease >= 0 AND id >= ? AND id < ?";
    for (no, name) in &names {
        let rows = tx.run(ready, args![no << QUEUE_SHIFT, (no + 1) << QUEUE_SHIFT]);
        found.entry(name.clone()).or_default()[State::Ready as usize] = rows?[0].int()?;
    }
    let sql = "SELECT queue, state, count(*) FROM held GROUP BY queue, state";
    for mut row in tx.run(sql, &[])? {
        let (queue, state, count) = (row.int()?, row.int()?, row.int()?);
        let place = names.get(&queue).and_then(|name| found.get_mut(name));
        if let (Some(counts), Ok(state)) = (place, usize::try_from(state)) {
            counts[state.min(5)] = count;
        }
    }
    Ok(found)
}

fn end(tx: &mut dyn Tx, now: i64, id: i64, state: State, error: &str) -> Result<bool> {
    let (queue, lock) = (id >> QUEUE_SHIFT, tx.lock());
    settle(tx, now, queue)?;
    let sql = format!(
        "INSERT INTO held(id, queue, state, due, {COLUMNS}) SELECT id, ?, 0, 0, {COLUMNS} \
         FROM ready WHERE id = ? AND lease >= 0{lock}"
    );
    if tx.count(&sql, args![queue, id])? > 0 {
        tx.count("DELETE FROM ready WHERE id = ?", args![id])?;
    }
    let sql = format!("SELECT key, keep FROM held WHERE id = ? AND state IN (0, 2){lock}");
    let Some(mut row) = tx.run(&sql, args![id])?.into_iter().next() else {
        return Ok(false);
    };
    let (key, keep) = (row.maybe_text()?, row.int()?);
    if state == State::Cancelled && keep == 0 {
        tx.count("DELETE FROM held WHERE id = ?", args![id])?;
        free_key(tx, queue, id, key.as_deref())?;
    } else {
        let due = if state == State::Dead {
            now
        } else {
            now + keep
        };
        finish(tx, queue, id, key.as_deref(), state, due, Some(error))?;
    }
    Ok(true)
}

/// Takes an unfinished job out; a running one loses its lease.
pub(super) fn cancel(tx: &mut dyn Tx, now: i64, id: i64) -> Result<bool> {
    end(tx, now, id, State::Cancelled, "cancelled")
}

/// Makes an unfinished job dead.
pub(super) fn bury(tx: &mut dyn Tx, now: i64, id: i64, error: &str) -> Result<bool> {
    end(tx, now, id, State::Dead, error)
}

/// Makes a dead, cancelled, kept or delayed job ready, with all its attempts.
pub(super) fn retry(tx: &mut dyn Tx, now: i64, id: i64) -> Result<bool> {
    settle(tx, now, id >> QUEUE_SHIFT)?;
    let sql = "UPDATE held SET attempts = 0, result = NULL WHERE id = ? AND state <> 2";
    let changed = tx.count(sql, args![id])? > 0;
    if changed {
        to_ready(tx, id)?;
    }
    Ok(changed)
}

/// Deletes the jobs of a state that were enqueued at least `age` ago.
pub(super) fn purge(tx: &mut dyn Tx, now: i64, queue: &str, state: State, age: i64) -> Result<u64> {
    let Some(no) = number(tx, queue)? else {
        return Ok(0);
    };
    settle(tx, now, no)?;
    let rows = match state {
        State::Ready => {
            let (low, high) = (no << QUEUE_SHIFT, (no + 1) << QUEUE_SHIFT);
            format!("ready WHERE lease >= 0 AND id >= {low} AND id < {high} AND created <= ?")
        }
        State::Running => {
            let why = "state must not be running: cancel such jobs, or let them end";
            return Err(Error::Value(why.to_owned()));
        }
        other => format!(
            "held WHERE queue = {no} AND state = {} AND created <= ?",
            other as i64
        ),
    };
    let keys = format!("DELETE FROM keys WHERE queue = {no} AND id IN (SELECT id FROM {rows})");
    tx.count(&keys, args![now - age])?;
    tx.count(&format!("DELETE FROM {rows}"), args![now - age])
}

/// Sets a queue's limits.
pub(super) fn limit(
    tx: &mut dyn Tx,
    queue: &str,
    concurrency: Option<i64>,
    interval_us: Option<i64>,
    burst: i64,
) -> Result<()> {
    let no = number_or_new(tx, queue)?;
    let sql = "UPDATE queues SET concurrency = ?, interval_us = ?, burst = ?, tat_us = 0 \
        WHERE no = ?";
    tx.count(sql, args![concurrency, interval_us, burst, no])
        .map(drop)
}

/// Stops or resumes handing out.
pub(super) fn pause(tx: &mut dyn Tx, queue: &str, paused: bool) -> Result<()> {
    let no = number_or_new(tx, queue)?;
    let sql = "UPDATE queues SET paused = ? WHERE no = ?";
    tx.count(sql, args![i64::from(paused), no]).map(drop)
}

/// The settings of each queue, by name.
pub(super) fn queues(tx: &mut dyn Tx) -> Result<Vec<Settings>> {
    let sql = "SELECT name, paused, concurrency, interval_us, burst FROM queues";
    let mut found = Vec::new();
    for mut row in tx.run(sql, &[])? {
        found.push(Settings {
            name: row.text()?,
            paused: row.int()? != 0,
            concurrency: row.maybe_int()?,
            interval_us: row.maybe_int()?,
            burst: row.int()?,
        });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Sets a cron line; one of the same name is replaced.
pub(super) fn schedule(
    tx: &mut dyn Tx,
    now: i64,
    name: &str,
    expression: &str,
    draft: &Draft,
) -> Result<()> {
    let Some(due) = Cron::parse(expression)?.after(now) else {
        let why = format!("the schedule '{expression}' never comes true");
        return Err(Error::Value(why));
    };
    unschedule(tx, name)?;
    let queue = number_or_new(tx, &draft.queue)?;
    let payload = draft.payloads.first().map_or(&[][..], Vec::as_slice);
    let sql = "INSERT INTO crons(name, queue, expression, next, payload, priority, max_attempts, \
        backoff, keep) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (most, backoff) = (draft.max_attempts, draft.backoff);
    let given = args![
        name,
        queue,
        expression,
        due,
        payload,
        draft.priority,
        most,
        backoff,
        draft.keep
    ];
    tx.count(sql, given)?;
    note_cron(tx, queue)
}

/// Removes a cron line; tells whether there was one.
pub(super) fn unschedule(tx: &mut dyn Tx, name: &str) -> Result<bool> {
    let mut rows = tx.run("SELECT queue FROM crons WHERE name = ?", args![name])?;
    let Some(row) = rows.first_mut() else {
        return Ok(false);
    };
    tx.count("DELETE FROM crons WHERE name = ?", args![name])?;
    note_cron(tx, row.int()?)?;
    Ok(true)
}

/// The cron lines by name: name, queue, expression, when it is due.
pub(super) fn schedules(tx: &mut dyn Tx) -> Result<Vec<(String, String, String, i64)>> {
    let sql = "SELECT crons.name, queues.name, expression, next FROM crons \
        JOIN queues ON queues.no = crons.queue";
    let mut found = Vec::new();
    for mut row in tx.run(sql, &[])? {
        found.push((row.text()?, row.text()?, row.text()?, row.int()?));
    }
    found.sort();
    Ok(found)
}
