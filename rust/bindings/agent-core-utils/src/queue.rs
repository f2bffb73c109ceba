//! `Queue`: the task queue in the native store, with the clock and the errors of Python.
//!
//! The work runs detached from the interpreter. When it panics, the store is closed before the
//! twin is made: two copies of `SQLite` in one process must not have the same file open.

mod admin;
mod args;
mod job;

use crate::border::Border;
use agent_core_utils::queue::{Draft, Error, Handle, MAX_PRIORITY, Store};
pub(crate) use job::Job;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// A waiting claim looks for signals as often as this.
const LOOK_UP: Duration = Duration::from_millis(250);

enum State {
    Open(Arc<Store>),
    Closed,
    /// By a fault: the twin shall answer.
    Broken,
}

/// A task queue in a file or in `PostgreSQL`; see `agentcore.queue.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Queue {
    state: Mutex<State>,
    target: String,
    clock: Option<Py<PyAny>>,
    jitter: Option<Py<PyAny>>,
    error: Option<Py<PyAny>>,
    border: Border,
}

/// Closes the store when it is dropped by a panic.
struct CloseOnPanic<'a>(&'a Queue);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.leave(State::Broken);
        }
    }
}

impl Queue {
    fn cross<'py, R>(
        &self,
        py: Python<'py>,
        native: impl FnOnce() -> PyResult<R>,
        twin: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<R>,
    ) -> PyResult<R> {
        let guarded = || {
            let _guard = CloseOnPanic(self);
            native()
        };
        self.border.cross(py, guarded, twin)
    }

    fn close_native(&self) {
        let open = matches!(
            *self.state.lock().unwrap_or_else(PoisonError::into_inner),
            State::Open(_)
        );
        if open {
            self.leave(State::Broken);
        }
    }

    /// No call of the store needs the interpreter, so that waiting for one with it is safe.
    fn leave(&self, state: State) {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(store) = std::mem::replace(&mut *held, state) {
            store.close();
        }
    }

    fn store(&self) -> Arc<Store> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open(store) => Arc::clone(store),
            State::Closed => panic!("closed"), // `open` has answered for it
            State::Broken => panic!("closed by the fault of another call"),
        }
    }

    fn closed(&self, py: Python<'_>) -> Option<PyErr> {
        let held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*held, State::Closed).then(|| {
            let (what, right) = ("the queue is closed", "an open queue");
            queue_error(py, self.error.as_ref(), what, &self.target, right)
        })
    }

    /// Runs a call of the store detached from the interpreter.
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&Store) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        if let Some(error) = self.closed(py) {
            return Err(error);
        }
        let store = self.store();
        let answer = py.detach(|| call(&store));
        answer.map_err(|error| {
            if matches!(
                *self.state.lock().unwrap_or_else(PoisonError::into_inner),
                State::Broken
            ) {
                panic!("closed by the fault of another call");
            }
            raised(py, self.error.as_ref(), &error)
        })
    }

    fn now(&self, py: Python<'_>) -> PyResult<i64> {
        let seconds = match &self.clock {
            Some(clock) => clock.bind(py).call0()?.extract()?,
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |since| since.as_secs_f64()),
        };
        Ok(args::to_ms(seconds))
    }

    fn jitter(&self, py: Python<'_>) -> PyResult<f64> {
        match &self.jitter {
            Some(jitter) => Ok(jitter.bind(py).call0()?.extract()?),
            // A new hasher has new keys: enough for spreading retries.
            None => Ok((RandomState::new().hash_one(0) >> 11) as f64 / (1_u64 << 53) as f64),
        }
    }

    fn add(&self, py: Python<'_>, draft: Draft) -> PyResult<Vec<i64>> {
        let now = self.now(py)?;
        self.run(py, |store| store.enqueue(now, draft))
    }
}

fn queue_error(
    py: Python<'_>,
    class: Option<&Py<PyAny>>,
    what: &str,
    place: &str,
    expected: &str,
) -> PyErr {
    let Some(class) = class else {
        return PyRuntimeError::new_err(format!("{place}: {what}; expected {expected}"));
    };
    match class.bind(py).call1((what, place, expected)) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

fn raised(py: Python<'_>, class: Option<&Py<PyAny>>, error: &Error) -> PyErr {
    match error {
        Error::Database {
            what,
            place,
            expected,
            ..
        } => queue_error(py, class, what, place, expected),
        other => PyValueError::new_err(other.to_string()),
    }
}

/// A schedule: five fields, UTC.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct Cron(agent_core_utils::queue::Cron);

#[pymethods]
impl Cron {
    #[new]
    fn new(expression: &str) -> PyResult<Self> {
        let read = agent_core_utils::queue::Cron::parse(expression);
        read.map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The first fitting minute after `now_ms`, in milliseconds since 1970; or None.
    fn after(&self, now_ms: i64) -> Option<i64> {
        self.0.after(now_ms)
    }
}

/// The options of an enqueue, checked in the contract's order.
struct Options<'a, 'py> {
    priority: Given<'a, 'py>,
    delay: Given<'a, 'py>,
    key: Given<'a, 'py>,
    max_attempts: Given<'a, 'py>,
    backoff: Given<'a, 'py>,
    keep: Given<'a, 'py>,
}

impl Options<'_, '_> {
    fn draft(&self, queue: &Bound<'_, PyAny>, payloads: Vec<Vec<u8>>) -> PyResult<Draft> {
        let mut draft = Draft::new("", payloads);
        draft.queue = args::name("queue", queue)?;
        if let Some(priority) = self.priority {
            draft.priority = args::int("priority", priority, -MAX_PRIORITY, MAX_PRIORITY)?;
        }
        if let Some(delay) = self.delay {
            draft.delay = args::seconds("delay", delay, 0.0)?;
        }
        if let Some(key) = self.key.filter(|key| !key.is_none()) {
            draft.key = Some(args::name("key", key)?);
        }
        if let Some(most) = self.max_attempts {
            draft.max_attempts = args::int("max_attempts", most, 1, args::MAX_ATTEMPTS)?;
        }
        if let Some(backoff) = self.backoff {
            draft.backoff = args::seconds("backoff", backoff, 0.0)?;
        }
        if let Some(keep) = self.keep {
            draft.keep = args::seconds("keep", keep, 0.0)?;
        }
        Ok(draft)
    }

    fn for_twin<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let given = [
            ("priority", self.priority),
            ("delay", self.delay),
            ("key", self.key),
            ("max_attempts", self.max_attempts),
            ("backoff", self.backoff),
            ("keep", self.keep),
        ];
        keywords(py, &given)
    }
}

/// Keyword arguments for the twin: those that were given.
fn keywords<'py>(py: Python<'py>, given: &[(&str, Given<'_, '_>)]) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(py);
    for (name, value) in given {
        if let Some(value) = value {
            found.set_item(name, value)?;
        }
    }
    Ok(found)
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (target, durability="full", clock=None, jitter=None, on_fault=None, error=None))]
    fn new(
        py: Python<'_>,
        target: String,
        durability: &str,
        clock: Option<Py<PyAny>>,
        jitter: Option<Py<PyAny>>,
        on_fault: Option<Py<PyAny>>,
        error: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let full = durability == "full";
        let opened = py.detach(|| Store::open(&target, full));
        let store = opened.map_err(|failed| raised(py, error.as_ref(), &failed))?;
        Ok(Self {
            state: Mutex::new(State::Open(Arc::new(store))),
            target,
            clock,
            jitter,
            error,
            border: Border::new("Queue", on_fault),
        })
    }

    #[pyo3(signature = (queue, payload=None, *, priority=None, delay=None, key=None,
        max_attempts=None, backoff=None, keep=None))]
    #[allow(clippy::too_many_arguments)] // the contract's
    fn enqueue<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, PyAny>,
        payload: Given<'_, 'py>,
        priority: Given<'_, 'py>,
        delay: Given<'_, 'py>,
        key: Given<'_, 'py>,
        max_attempts: Given<'_, 'py>,
        backoff: Given<'_, 'py>,
        keep: Given<'_, 'py>,
    ) -> PyResult<i64> {
        let options = Options {
            priority,
            delay,
            key,
            max_attempts,
            backoff,
            keep,
        };
        let answer = || {
            let payload = payload.map_or(Ok(Vec::new()), |given| args::bytes("payload", given))?;
            let ids = self.add(py, options.draft(queue, vec![payload])?)?;
            Ok(ids.first().copied().unwrap_or_default())
        };
        self.cross(py, answer, |twin| {
            let named = options.for_twin(py)?;
            if let Some(payload) = payload {
                named.set_item("payload", payload)?;
            }
            twin.call_method("enqueue", (queue,), Some(&named))?
                .extract()
        })
    }

    #[pyo3(signature = (queue, payloads, *, priority=None, delay=None, max_attempts=None,
        backoff=None, keep=None))]
    #[allow(clippy::too_many_arguments)] // the contract's
    fn enqueue_many<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, PyAny>,
        payloads: &Bound<'py, PyAny>,
        priority: Given<'_, 'py>,
        delay: Given<'_, 'py>,
        max_attempts: Given<'_, 'py>,
        backoff: Given<'_, 'py>,
        keep: Given<'_, 'py>,
    ) -> PyResult<Vec<i64>> {
        let options = Options {
            priority,
            delay,
            key: None,
            max_attempts,
            backoff,
            keep,
        };
        // Read once: the twin may have to be asked after all.
        let all = payloads.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        let answer = || {
            let mut checked = Vec::with_capacity(all.len());
            for (at, payload) in all.iter().enumerate() {
                checked.push(args::bytes(&format!("payloads[{at}]"), payload)?);
            }
            let length = all.len().into_pyobject(py)?.into_any();
            args::int("the number of payloads", &length, 0, args::MAX_BATCH)?;
            let draft = options.draft(queue, checked)?;
            if all.is_empty() {
                return Ok(Vec::new());
            }
            self.add(py, draft)
        };
        self.cross(py, answer, |twin| {
            let named = options.for_twin(py)?;
            let given = (queue, PyList::new(py, &all)?);
            twin.call_method("enqueue_many", given, Some(&named))?
                .extract()
        })
    }

    #[pyo3(signature = (queue, limit=None, *, lease=None, wait=None, done=None))]
    fn claim<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, PyAny>,
        limit: Given<'_, 'py>,
        lease: Given<'_, 'py>,
        wait: Given<'_, 'py>,
        done: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let name = args::name("queue", queue)?;
            let limit =
                limit.map_or(Ok(1), |given| args::int("limit", given, 1, args::MAX_BATCH))?;
            let lease = lease.map_or(Ok(60_000), |given| args::seconds("lease", given, 0.001))?;
            let wait = wait.map_or(Ok(0), |given| args::seconds("wait", given, 0.0))?;
            let done = done.map_or(Ok(Vec::new()), job::handles)?;
            let wait = Duration::from_millis(wait.unsigned_abs());
            let jobs = self.wait_and_claim(py, &name, limit, lease, wait, done)?;
            let queue = queue.cast::<PyString>()?;
            let (jobs, deadline) = jobs;
            let jobs = jobs
                .into_iter()
                .map(|leased| Job::new(py, queue, leased, deadline));
            let jobs: PyResult<Vec<_>> = jobs.map(|job| Bound::new(py, job)).collect();
            Ok(PyList::new(py, jobs?)?.into_any())
        };
        self.cross(py, answer, |twin| {
            let given = [
                ("limit", limit),
                ("lease", lease),
                ("wait", wait),
                ("done", done),
            ];
            twin.call_method("claim", (queue,), Some(&keywords(py, &given)?))
        })
    }

    #[pyo3(signature = (job, result=None))]
    fn ack<'py>(
        &self,
        py: Python<'py>,
        job: &Bound<'py, PyAny>,
        result: Given<'_, 'py>,
    ) -> PyResult<bool> {
        let answer = || {
            let given = result.filter(|result| !result.is_none());
            let result = given
                .map(|given| args::bytes("result", given))
                .transpose()?;
            let (job, now) = (job::handle(job)?, self.now(py)?);
            self.run(py, |store| store.ack(now, &job, result.as_deref()))
        };
        self.cross(py, answer, |twin| {
            twin.call_method1("ack", (job, result))?.extract()
        })
    }

    fn ack_many<'py>(&self, py: Python<'py>, jobs: &Bound<'py, PyAny>) -> PyResult<usize> {
        let all = jobs.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        let answer = || {
            let jobs: PyResult<Vec<Handle>> = all.iter().map(job::handle).collect();
            let (jobs, now) = (jobs?, self.now(py)?);
            self.run(py, |store| store.ack_many(now, &jobs))
        };
        self.cross(py, answer, |twin| {
            twin.call_method1("ack_many", (PyList::new(py, &all)?,))?
                .extract()
        })
    }

    #[pyo3(signature = (job, error=None, *, delay=None, bury=false))]
    fn fail<'py>(
        &self,
        py: Python<'py>,
        job: &Bound<'py, PyAny>,
        error: Given<'_, 'py>,
        delay: Given<'_, 'py>,
        bury: bool,
    ) -> PyResult<Py<PyAny>> {
        let answer = || {
            let text = error.map_or(Ok(String::new()), |given| args::text("error", given))?;
            let given = delay.filter(|delay| !delay.is_none());
            let delay = given
                .map(|given| args::seconds("delay", given, 0.0))
                .transpose()?;
            let now = self.now(py)?;
            let jitter = if delay.is_none() {
                self.jitter(py)?
            } else {
                0.0
            };
            let job = job::handle(job)?;
            let state = self.run(py, |store| {
                store.fail(now, &job, &text, delay, bury, jitter)
            })?;
            let state = state.map_or("lost", agent_core_utils::queue::State::name);
            Ok(state.into_pyobject(py)?.into_any().unbind())
        };
        self.cross(py, answer, |twin| {
            let named = keywords(py, &[("error", error), ("delay", delay)])?;
            named.set_item("bury", bury)?;
            Ok(twin.call_method("fail", (job,), Some(&named))?.unbind())
        })
    }

    #[pyo3(signature = (job, lease=None))]
    fn extend<'py>(
        &self,
        py: Python<'py>,
        job: &Bound<'py, PyAny>,
        lease: Given<'_, 'py>,
    ) -> PyResult<bool> {
        let answer = || {
            let lease = lease.map_or(Ok(60_000), |given| args::seconds("lease", given, 0.001))?;
            let (now, job) = (self.now(py)?, job::handle(job)?);
            self.run(py, |store| store.extend(now, &job, lease))
        };
        self.cross(py, answer, |twin| {
            let named = keywords(py, &[("lease", lease)])?;
            twin.call_method("extend", (job,), Some(&named))?.extract()
        })
    }

    /// The calls of an operator.
    #[getter]
    fn admin(this: Py<Self>) -> admin::QueueAdmin {
        admin::QueueAdmin(this)
    }

    /// Closes the file or the connections. A second call does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let answer = || {
            self.leave(State::Closed);
            Ok(())
        };
        self.cross(py, answer, |twin| twin.call_method0("close").map(drop))
    }

    /// Closes the store and leaves the answers to the twin, which the next call makes.
    fn _close_native(&self) {
        self.close_native();
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.close_native();
        self.border.fall_back(py, cause).map(drop)
    }

    /// Panics inside, on purpose: lets the tests show that the twin answers then.
    fn _panic(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let answer = || {
            self.run(py, Store::panic_inside)?;
            Ok(py.None())
        };
        self.cross(py, answer, |twin| Ok(twin.call_method0("counts")?.unbind()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.clock)?;
        visit.call(&self.jitter)?;
        visit.call(&self.error)?;
        self.border.traverse(&visit)
    }
}

impl Queue {
    /// Claims until there is a job or the time is over; also returns the leases' deadline.
    fn wait_and_claim(
        &self,
        py: Python<'_>,
        name: &str,
        limit: i64,
        lease: i64,
        wait: Duration,
        mut done: Vec<Handle>,
    ) -> PyResult<(Vec<agent_core_utils::queue::Leased>, f64)> {
        let end = Instant::now() + wait;
        loop {
            let now = self.now(py)?;
            let (seen, jobs) = self.run(py, |store| {
                let seen = if wait.is_zero() {
                    (0, 0)
                } else {
                    store.seen()?
                };
                Ok((seen, store.claim(now, name, limit, lease, &done)?))
            })?;
            let left = end.saturating_duration_since(Instant::now());
            if !jobs.is_empty() || left.is_zero() {
                return Ok((jobs, (now + lease) as f64 / 1000.0));
            }
            done.clear();
            self.run(py, |store| store.wait(seen, left.min(LOOK_UP)))?;
            py.check_signals()?;
        }
    }
}
