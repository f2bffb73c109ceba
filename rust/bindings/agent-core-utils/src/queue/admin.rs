//! The calls of an operator.

use super::{Given, Options, Queue, args, job, keywords};
use agent_core_utils::queue::State;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::ops::Deref;

const MAX_ID: i64 = i64::MAX - 1;

fn id(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    args::int("id", value, 0, MAX_ID)
}

fn state(value: &Bound<'_, PyAny>) -> PyResult<State> {
    let named: Option<State> = value
        .extract::<String>()
        .ok()
        .and_then(|name| name.parse().ok());
    match named {
        Some(state) => Ok(state),
        None => Err(pyo3::exceptions::PyValueError::new_err(format!(
            "state must be one of {}, got {}",
            State::ALL.map(State::name).join(", "),
            value.repr()?
        ))),
    }
}

fn given<'a, 'py>(value: Given<'a, 'py>) -> Given<'a, 'py> {
    value.filter(|value| !value.is_none())
}

/// The calls of an operator, on a queue.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct QueueAdmin(pub(super) Py<Queue>);

impl Deref for QueueAdmin {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        self.0.get()
    }
}

#[pymethods]
impl QueueAdmin {
    fn cancel(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = || {
            let (now, id) = (self.now(py)?, self::id(id)?);
            self.run(py, |store| store.cancel(now, id))
        };
        self.cross(py, answer, |twin| {
            twin.call_method1("cancel", (id,))?.extract()
        })
    }

    #[pyo3(signature = (id, error=None))]
    fn bury(&self, py: Python<'_>, id: &Bound<'_, PyAny>, error: Given<'_, '_>) -> PyResult<bool> {
        let answer = || {
            let text = error.map_or(Ok("buried".to_owned()), |given| args::text("error", given))?;
            let (now, id) = (self.now(py)?, self::id(id)?);
            self.run(py, |store| store.bury(now, id, &text))
        };
        self.cross(py, answer, |twin| {
            let named = keywords(py, &[("error", error)])?;
            twin.call_method("bury", (id,), Some(&named))?.extract()
        })
    }

    fn retry(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = || {
            let (now, id) = (self.now(py)?, self::id(id)?);
            self.run(py, |store| store.retry(now, id))
        };
        self.cross(py, answer, |twin| {
            twin.call_method1("retry", (id,))?.extract()
        })
    }

    fn get<'py>(&self, py: Python<'py>, id: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let (now, id) = (self.now(py)?, self::id(id)?);
            match self.run(py, |store| store.get(now, id))? {
                Some(found) => job::info(py, found),
                None => Ok(py.None().into_bound(py)),
            }
        };
        self.cross(py, answer, |twin| twin.call_method1("get", (id,)))
    }

    #[pyo3(signature = (queue=None, state=None, *, limit=None, after=None))]
    fn jobs<'py>(
        &self,
        py: Python<'py>,
        queue: Given<'_, 'py>,
        state: Given<'_, 'py>,
        limit: Given<'_, 'py>,
        after: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let name = given(queue)
                .map(|queue| args::name("queue", queue))
                .transpose()?;
            let state = given(state).map(self::state).transpose()?;
            let most = |limit| args::int("limit", limit, 1, args::MAX_BATCH);
            let limit = usize::try_from(limit.map_or(Ok(100), most)?).unwrap_or(usize::MAX);
            let now = self.now(py)?;
            let after = after.map_or(Ok(0), id)?;
            let jobs = self.run(py, |store| {
                store.list(now, name.as_deref(), state, limit, after)
            })?;
            let jobs: PyResult<Vec<_>> = jobs.into_iter().map(|one| job::info(py, one)).collect();
            Ok(PyList::new(py, jobs?)?.into_any())
        };
        self.cross(py, answer, |twin| {
            let given = [
                ("queue", queue),
                ("state", state),
                ("limit", limit),
                ("after", after),
            ];
            twin.call_method("jobs", (), Some(&keywords(py, &given)?))
        })
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let now = self.now(py)?;
            let counts = self.run(py, |store| store.counts(now))?;
            let found = PyDict::new(py);
            for (name, counts) in counts {
                let states = PyDict::new(py);
                for state in State::ALL {
                    states.set_item(state.name(), counts[state as usize])?;
                }
                found.set_item(name, states)?;
            }
            Ok(found.into_any())
        };
        self.cross(py, answer, |twin| twin.call_method0("counts"))
    }

    #[pyo3(signature = (queue, state, *, older_than=None))]
    fn purge<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, PyAny>,
        state: &Bound<'py, PyAny>,
        older_than: Given<'_, 'py>,
    ) -> PyResult<u64> {
        let answer = || {
            let (name, state) = (args::name("queue", queue)?, self::state(state)?);
            let age = older_than.map_or(Ok(0), |age| args::seconds("older_than", age, 0.0))?;
            let now = self.now(py)?;
            self.run(py, |store| store.purge(now, &name, state, age))
        };
        self.cross(py, answer, |twin| {
            let named = keywords(py, &[("older_than", older_than)])?;
            twin.call_method("purge", (queue, state), Some(&named))?
                .extract()
        })
    }

    #[pyo3(signature = (queue, *, concurrency=None, rate=None, burst=None))]
    fn limit<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, PyAny>,
        concurrency: Given<'_, 'py>,
        rate: Given<'_, 'py>,
        burst: Given<'_, 'py>,
    ) -> PyResult<()> {
        let answer = || {
            let name = args::name("queue", queue)?;
            let most = |given| args::int("concurrency", given, 1, args::MAX_ATTEMPTS);
            let most = given(concurrency).map(most).transpose()?;
            let gap = given(rate).map(args::gap).transpose()?;
            let burst = burst.map_or(Ok(1), |burst| {
                args::int("burst", burst, 1, args::MAX_ATTEMPTS)
            })?;
            self.run(py, |store| store.limit(&name, most, gap, burst))
        };
        self.cross(py, answer, |twin| {
            let given = [
                ("concurrency", concurrency),
                ("rate", rate),
                ("burst", burst),
            ];
            twin.call_method("limit", (queue,), Some(&keywords(py, &given)?))
                .map(drop)
        })
    }

    fn pause(&self, py: Python<'_>, queue: &Bound<'_, PyAny>) -> PyResult<()> {
        let answer = || {
            let name = args::name("queue", queue)?;
            self.run(py, |store| store.pause(&name, true))
        };
        self.cross(py, answer, |twin| {
            twin.call_method1("pause", (queue,)).map(drop)
        })
    }

    fn resume(&self, py: Python<'_>, queue: &Bound<'_, PyAny>) -> PyResult<()> {
        let answer = || {
            let name = args::name("queue", queue)?;
            self.run(py, |store| store.pause(&name, false))
        };
        self.cross(py, answer, |twin| {
            twin.call_method1("resume", (queue,)).map(drop)
        })
    }

    fn queues<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let found = self.run(py, agent_core_utils::queue::Store::queues)?;
            let rows = found.into_iter().map(|one| {
                let rate = one.interval_us.map(|gap| 1_000_000.0 / gap as f64);
                (one.name, one.paused, one.concurrency, rate, one.burst)
            });
            Ok(PyList::new(py, rows.collect::<Vec<_>>())?.into_any())
        };
        self.cross(py, answer, |twin| twin.call_method0("queues"))
    }

    #[pyo3(signature = (name, expression, queue, payload=None, *, priority=None,
        max_attempts=None, backoff=None, keep=None))]
    #[allow(clippy::too_many_arguments)] // the contract's
    fn schedule<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
        expression: &Bound<'py, PyAny>,
        queue: &Bound<'py, PyAny>,
        payload: Given<'_, 'py>,
        priority: Given<'_, 'py>,
        max_attempts: Given<'_, 'py>,
        backoff: Given<'_, 'py>,
        keep: Given<'_, 'py>,
    ) -> PyResult<()> {
        let (delay, key) = (None, None);
        let options = Options {
            priority,
            delay,
            key,
            max_attempts,
            backoff,
            keep,
        };
        let answer = || {
            let name = args::name("name", name)?;
            let line = args::name("expression", expression)?;
            let payload = payload.map_or(Ok(Vec::new()), |given| args::bytes("payload", given))?;
            let draft = options.draft(queue, vec![payload])?;
            let now = self.now(py)?;
            self.run(py, |store| store.schedule(now, &name, &line, &draft))
        };
        self.cross(py, answer, |twin| {
            let named = options.for_twin(py)?;
            if let Some(payload) = payload {
                named.set_item("payload", payload)?;
            }
            let given = (name, expression, queue);
            twin.call_method("schedule", given, Some(&named)).map(drop)
        })
    }

    fn unschedule(&self, py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<bool> {
        let answer = || {
            let name = args::name("name", name)?;
            self.run(py, |store| store.unschedule(&name))
        };
        self.cross(py, answer, |twin| {
            twin.call_method1("unschedule", (name,))?.extract()
        })
    }

    fn schedules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answer = || {
            let found = self.run(py, agent_core_utils::queue::Store::schedules)?;
            let rows = found
                .into_iter()
                .map(|(name, queue, line, due)| (name, queue, line, due as f64 / 1000.0));
            Ok(PyList::new(py, rows.collect::<Vec<_>>())?.into_any())
        };
        self.cross(py, answer, |twin| twin.call_method0("schedules"))
    }
}
