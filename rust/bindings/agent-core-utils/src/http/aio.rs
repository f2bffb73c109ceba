//! `AsyncHttpClient`: a reactor inside the caller's event loop, which watches one descriptor.
//!
//! A request is written at once by the call that makes it, and answered by a future of the loop.
//! One wake-up of the loop resolves every future whose answer came. No thread is started but for
//! looking up names.

use super::client::{batch, head_of, lost, metrics};
use super::convert::{Errors, Extras, Raised, config, exception, hooks, order};
use super::response::HttpResponse;
use crate::border::Border;
use agent_core_utils::http::{Answer, Fault, Order, Outcome, Queue, Reactor, Shared, Source};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long a canceled request may go on before it is given up.
const SWEEP: Duration = Duration::from_millis(250);

const LOST: &str = "the client's native part has faulted";

type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// An asyncio client; see `agentcore.http.contract`.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct AsyncHttpClient {
    shared: Arc<Shared>,
    deadline: f64,
    errors: Errors,
    border: Border,
    reactor: Mutex<Reactor>,
    waiters: Mutex<Waiters>,
    home: PyOnceLock<Home>,
    /// The reactor faulted, and is not used again.
    lost: AtomicBool,
    /// A test wants the next wake-up to panic.
    trap: AtomicBool,
}

/// The loop that the client belongs to.
struct Home {
    event_loop: Py<PyAny>,
    create_future: Py<PyAny>,
}

#[derive(Default)]
struct Waiters {
    by_key: HashMap<usize, Waiter>,
    swept: Option<Instant>,
}

enum Waiter {
    /// A whole response.
    Response(Py<PyAny>, Raised),
    /// The head of a streamed one, then its pieces.
    Stream(Option<Py<PyAny>>, Raised),
    /// One of many.
    Batch(Arc<Mutex<Batch>>, usize, Raised),
}

struct Batch {
    future: Py<PyAny>,
    waiting: VecDeque<(usize, Order, Raised)>,
    results: Vec<Option<Py<PyAny>>>,
    left: usize,
}

impl AsyncHttpClient {
    fn reactor(&self) -> PyResult<MutexGuard<'_, Reactor>> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(PyRuntimeError::new_err(LOST));
        }
        match self.reactor.try_lock() {
            Ok(reactor) => Ok(reactor),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(PyRuntimeError::new_err(
                "the client is in use by another thread, or by its own clock or body",
            )),
        }
    }

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A future of the running loop, which is the client's from its first request on.
    fn future<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let running = running_loop(py)?;
        let this = slf.get();
        let home = this.home.get_or_try_init(py, || {
            let reactor = this.reactor()?;
            reactor.hear_of_addresses();
            let descriptor = reactor.descriptor();
            drop(reactor);
            running.call_method1("add_reader", (descriptor, slf.getattr("_on_ready")?))?;
            Ok::<Home, PyErr>(Home {
                create_future: running.getattr("create_future")?.unbind(),
                event_loop: running.clone().unbind(),
            })
        })?;
        if !home.event_loop.bind(py).is(&running) {
            return Err(PyRuntimeError::new_err(
                "the client belongs to another event loop",
            ));
        }
        home.create_future.bind(py).call0()
    }

    fn order<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        url: &str,
        extras: &Extras<'_, 'py>,
    ) -> PyResult<(Order, Raised)> {
        order(&self.shared.config, self.deadline, method, url, extras)?
            .map_err(|fault| self.errors.raise(py, &fault, ""))
    }

    /// Sets an order on its way; whoever waits is told by the loop.
    fn submit(&self, py: Python<'_>, order: Order, waiter: Waiter) -> PyResult<usize> {
        let flight = self
            .shared
            .flight(order)
            .map_err(|fault| self.errors.raise(py, &fault, ""))?;
        let mut reactor = self.reactor()?;
        let key = reactor.submit(flight);
        self.waiters().by_key.insert(key, waiter);
        let done = reactor.take_done();
        drop(reactor);
        if !done.is_empty() {
            self.tell(py, done)?;
        }
        Ok(key)
    }

    fn fetch<'py>(
        slf: &Bound<'py, Self>,
        method: &str,
        url: &str,
        extras: &Extras<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let (order, raised) = this.order(slf.py(), method, url, extras)?;
        let future = Self::future(slf)?;
        this.submit(
            slf.py(),
            order,
            Waiter::Response(future.clone().unbind(), raised),
        )?;
        Ok(future)
    }

    /// Hands outcomes to those who wait for them.
    fn tell(&self, py: Python<'_>, done: Vec<(usize, String, Outcome)>) -> PyResult<()> {
        let mut done = VecDeque::from(done);
        while let Some((key, place, outcome)) = done.pop_front() {
            let waiter = self.waiters().by_key.remove(&key);
            match (waiter, outcome) {
                (Some(Waiter::Response(future, raised)), Outcome::Answer(answer)) => {
                    let answer = answer.map(|answer| HttpResponse::new(py, answer));
                    self.resolve(py, future.bind(py), answer, &place, &raised)?;
                }
                (Some(Waiter::Stream(future, raised)), outcome) => {
                    let alive = match &outcome {
                        Outcome::Answer(answer) => answer.is_ok(),
                        Outcome::Piece(piece) => {
                            piece.as_ref().is_ok_and(|piece| !piece.is_empty())
                        }
                    };
                    if alive {
                        let waiter = Waiter::Stream(None, Raised::clone(&raised));
                        self.waiters().by_key.insert(key, waiter);
                    }
                    let Some(future) = future else {
                        continue;
                    };
                    let future = future.bind(py);
                    match outcome {
                        Outcome::Answer(answer) => {
                            let head =
                                |answer: Answer| (key, head_of(py, &answer).map(Bound::unbind));
                            match answer.map(head) {
                                Ok((key, head)) => {
                                    set(py, future, (key, head?).into_pyobject(py)?.into_any())?;
                                }
                                Err(fault) => self.fail(py, future, &fault, &place, &raised)?,
                            }
                        }
                        Outcome::Piece(Ok(piece)) => {
                            set(py, future, PyBytes::new(py, &piece).into_any())?;
                        }
                        Outcome::Piece(Err(fault)) => {
                            self.fail(py, future, &fault, &place, &raised)?;
                        }
                    }
                }
                (Some(Waiter::Batch(batch, index, raised)), Outcome::Answer(answer)) => {
                    let object = match answer {
                        Ok(answer) => Py::new(py, HttpResponse::new(py, answer))?.into_any(),
                        Err(fault) => exception(py, &self.errors, &fault, &place, &raised)
                            .into_value(py)
                            .into_any(),
                    };
                    self.settle(py, &batch, index, object)?;
                    let mut reactor = self.reactor()?;
                    done.extend(reactor.take_done());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes a result of a batch, sets the next on its way, resolves it after the last.
    fn settle(
        &self,
        py: Python<'_>,
        batch: &Arc<Mutex<Batch>>,
        index: usize,
        object: Py<PyAny>,
    ) -> PyResult<()> {
        let mut held = batch.lock().unwrap_or_else(PoisonError::into_inner);
        held.results[index] = Some(object);
        held.left -= 1;
        self.go_on(py, batch, &mut held)?;
        if held.left == 0 {
            let results: Vec<Option<Py<PyAny>>> = std::mem::take(&mut held.results);
            let future = held.future.clone_ref(py);
            drop(held);
            set(py, future.bind(py), PyList::new(py, results)?.into_any())?;
        }
        Ok(())
    }

    /// Sets the next one of a batch on its way.
    fn go_on(&self, py: Python<'_>, batch: &Arc<Mutex<Batch>>, held: &mut Batch) -> PyResult<()> {
        let Some((index, order, raised)) = held.waiting.pop_front() else {
            return Ok(());
        };
        match self.shared.flight(order) {
            Ok(flight) => {
                let mut reactor = self.reactor()?;
                let key = reactor.submit(flight);
                self.waiters()
                    .by_key
                    .insert(key, Waiter::Batch(Arc::clone(batch), index, raised));
            }
            Err(fault) => {
                held.results[index] = Some(self.errors.object(py, &fault, "")?.unbind());
                held.left -= 1;
            }
        }
        Ok(())
    }

    fn resolve<'py>(
        &self,
        py: Python<'py>,
        future: &Bound<'py, PyAny>,
        answer: Result<HttpResponse, Fault>,
        place: &str,
        raised: &Raised,
    ) -> PyResult<()> {
        match answer {
            Ok(response) => set(py, future, Bound::new(py, response)?.into_any()),
            Err(fault) => self.fail(py, future, &fault, place, raised),
        }
    }

    fn fail<'py>(
        &self,
        py: Python<'py>,
        future: &Bound<'py, PyAny>,
        fault: &Fault,
        place: &str,
        raised: &Raised,
    ) -> PyResult<()> {
        if !is_done(future)? {
            let error = exception(py, &self.errors, fault, place, raised);
            future.call_method1("set_exception", (error.into_value(py),))?;
        }
        Ok(())
    }

    /// Runs a step of the reactor. If it faults, all who wait for it are told, and the loop lets it go.
    fn step<R>(&self, py: Python<'_>, step: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        self.border.guard(py, step, |cause| {
            let fault = lost(cause);
            self.give_up(py, &fault)?;
            Err(self.errors.raise(py, &fault, ""))
        })
    }

    fn give_up(&self, py: Python<'_>, fault: &Fault) -> PyResult<()> {
        if self.lost.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        self.leave_loop(py)?;
        let waiting = std::mem::take(&mut self.waiters().by_key);
        for waiter in waiting.into_values() {
            match waiter {
                Waiter::Response(future, raised) | Waiter::Stream(Some(future), raised) => {
                    self.fail(py, future.bind(py), fault, "", &raised)?;
                }
                Waiter::Batch(batch, _, raised) => {
                    let held = batch.lock().unwrap_or_else(PoisonError::into_inner);
                    let future = held.future.clone_ref(py);
                    drop(held);
                    self.fail(py, future.bind(py), fault, "", &raised)?;
                }
                Waiter::Stream(None, _) => {}
            }
        }
        Ok(())
    }

    fn leave_loop(&self, py: Python<'_>) -> PyResult<()> {
        let Some(home) = self.home.get(py) else {
            return Ok(());
        };
        let reactor = match self.reactor.try_lock() {
            Ok(reactor) => reactor,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()), // a thread that is in it will see `lost`
        };
        let descriptor = reactor.descriptor();
        drop(reactor);
        let event_loop = home.event_loop.bind(py);
        if !event_loop.call_method0("is_closed")?.is_truthy()? {
            event_loop.call_method1("remove_reader", (descriptor,))?;
        }
        Ok(())
    }

    /// Gives up the flights whose futures were canceled.
    fn sweep(&self, py: Python<'_>) -> PyResult<()> {
        let mut gone = Vec::new();
        {
            let mut waiters = self.waiters();
            let now = Instant::now();
            if waiters.by_key.is_empty() || waiters.swept.is_some_and(|last| now - last < SWEEP) {
                return Ok(());
            }
            waiters.swept = Some(now);
            for (key, waiter) in &waiters.by_key {
                let canceled = match waiter {
                    Waiter::Response(future, _) | Waiter::Stream(Some(future), _) => {
                        is_done(future.bind(py))?
                    }
                    Waiter::Stream(None, _) => false,
                    Waiter::Batch(batch, ..) => {
                        let held = batch.lock().unwrap_or_else(PoisonError::into_inner);
                        is_done(held.future.bind(py))?
                    }
                };
                if canceled {
                    gone.push(*key);
                }
            }
            for key in &gone {
                if let Some(Waiter::Batch(batch, ..)) = waiters.by_key.remove(key) {
                    batch
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .waiting
                        .clear();
                }
            }
        }
        let mut reactor = self.reactor()?;
        for key in gone {
            reactor.abandon(key);
        }
        if !reactor.is_empty() {
            reactor.wake_within(SWEEP);
        }
        Ok(())
    }
}

fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static GET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let get = GET.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("asyncio")?.getattr("get_running_loop")?.unbind())
    })?;
    get.bind(py).call0()
}

fn is_done(future: &Bound<'_, PyAny>) -> PyResult<bool> {
    future
        .call_method0(pyo3::intern!(future.py(), "done"))?
        .is_truthy()
}

fn set<'py>(py: Python<'py>, future: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<()> {
    if !is_done(future)? {
        future.call_method1(pyo3::intern!(py, "set_result"), (value,))?;
    }
    Ok(())
}

#[pymethods]
impl AsyncHttpClient {
    #[new]
    #[pyo3(signature = (options, make_error, on_fault=None))]
    fn new(
        py: Python<'_>,
        options: &Bound<'_, PyDict>,
        make_error: Py<PyAny>,
        on_fault: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let errors = Errors::new(make_error);
        let (config, deadline) = config(options)?.map_err(|fault| errors.raise(py, &fault, ""))?;
        let shared = Arc::new(Shared::new(config, hooks(options)?));
        let reactor = Reactor::new(Arc::clone(&shared))
            .map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self {
            shared,
            deadline,
            errors,
            border: Border::new("AsyncHttpClient", on_fault),
            reactor: Mutex::new(reactor),
            waiters: Mutex::default(),
            home: PyOnceLock::new(),
            lost: AtomicBool::new(false),
            trap: AtomicBool::new(false),
        })
    }

    #[pyo3(signature = (url, headers=None, deadline=None))]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        url: &str,
        headers: Given<'_, 'py>,
        deadline: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let extras = Extras {
            headers,
            body: None,
            idempotent: None,
            deadline,
            max_bytes: None,
        };
        slf.get().border.cross(
            slf.py(),
            || Self::fetch(slf, "GET", url, &extras),
            |twin| {
                twin.call_method1("get", (url, headers, deadline))
                    .map(|answer| answer.unbind().into_bound(slf.py()))
            },
        )
    }

    #[pyo3(signature = (method, url, headers=None, body=None, idempotent=None, deadline=None, max_bytes=None))]
    #[allow(clippy::too_many_arguments)] // the contract's
    fn request<'py>(
        slf: &Bound<'py, Self>,
        method: &str,
        url: &str,
        headers: Given<'_, 'py>,
        body: Given<'_, 'py>,
        idempotent: Option<bool>,
        deadline: Given<'_, 'py>,
        max_bytes: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let extras = Extras {
            headers,
            body,
            idempotent,
            deadline,
            max_bytes,
        };
        slf.get().border.cross(
            slf.py(),
            || Self::fetch(slf, method, url, &extras),
            |twin| {
                let arguments = (method, url, headers, body, idempotent, deadline, max_bytes);
                twin.call_method1("request", arguments)
                    .map(|answer| answer.unbind().into_bound(slf.py()))
            },
        )
    }

    /// Begins a request; returns its number and a future of the response. With `fed`, its body is
    /// put in by `feed`; with `streamed`, the future gives `(number, head)`.
    #[pyo3(signature = (method, url, headers=None, body=None, idempotent=None, deadline=None, max_bytes=None, fed=false, streamed=false))]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)] // the contract's
    fn begin<'py>(
        slf: &Bound<'py, Self>,
        method: &str,
        url: &str,
        headers: Given<'_, 'py>,
        body: Given<'_, 'py>,
        idempotent: Option<bool>,
        deadline: Given<'_, 'py>,
        max_bytes: Option<u64>,
        fed: bool,
        streamed: bool,
    ) -> PyResult<(usize, Bound<'py, PyAny>, Option<HttpFeed>)> {
        let extras = Extras {
            headers,
            body,
            idempotent,
            deadline,
            max_bytes,
        };
        let this = slf.get();
        this.step(slf.py(), || {
            let (mut order, raised) = this.order(slf.py(), method, url, &extras)?;
            order.streamed = streamed;
            let feed = fed.then(HttpFeed::default);
            if let Some(feed) = &feed {
                order.source = Source::Queue(Arc::clone(&feed.queue));
            }
            let future = Self::future(slf)?;
            let held = future.clone().unbind();
            let waiter = if streamed {
                Waiter::Stream(Some(held), raised)
            } else {
                Waiter::Response(held, raised)
            };
            let key = this.submit(slf.py(), order, waiter)?;
            Ok((key, future, feed))
        })
    }

    /// Moves a request on whose body got a piece.
    fn poke(&self, py: Python<'_>, key: usize) -> PyResult<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Ok(()); // its future has been told
        }
        self.step(py, || {
            let mut reactor = self.reactor()?;
            reactor.poke(key);
            let done = reactor.take_done();
            drop(reactor);
            self.tell(py, done)
        })
    }

    /// A future of the next piece of a streamed response; empty at the end.
    fn next_piece<'py>(slf: &Bound<'py, Self>, key: usize) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        if this.lost.load(Ordering::Relaxed) {
            // Not an empty piece, which would pass for the end.
            return Err(this.errors.raise(py, &Fault::protocol(LOST), ""));
        }
        this.step(py, || {
            let future = Self::future(slf)?;
            if let Some(Waiter::Stream(waiting, _)) = this.waiters().by_key.get_mut(&key) {
                *waiting = Some(future.clone().unbind());
            } else {
                set(py, &future, PyBytes::new(py, b"").into_any())?;
                return Ok(future);
            }
            let mut reactor = this.reactor()?;
            reactor.ask(key);
            let done = reactor.take_done();
            drop(reactor);
            this.tell(py, done)?;
            Ok(future)
        })
    }

    /// Gives a request up.
    fn abandon(&self, py: Python<'_>, key: usize) -> PyResult<()> {
        if self.waiters().by_key.remove(&key).is_none() {
            return Ok(());
        }
        self.step(py, || {
            let mut reactor = self.reactor()?;
            reactor.abandon(key);
            let done = reactor.take_done();
            drop(reactor);
            self.tell(py, done)
        })
    }

    /// A future of all responses, in order; errors are values among them.
    #[pyo3(signature = (requests, limit=64))]
    fn fetch_many<'py>(
        slf: &Bound<'py, Self>,
        requests: &Bound<'py, PyAny>,
        limit: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let answer = || {
            let orders = batch(&this.shared.config, this.deadline, requests)?;
            let future = Self::future(slf)?;
            let mut results = Vec::with_capacity(orders.len());
            let mut waiting = VecDeque::with_capacity(orders.len());
            for (index, one) in orders.into_iter().enumerate() {
                match one {
                    Ok((order, raised)) => {
                        waiting.push_back((index, order, raised));
                        results.push(None);
                    }
                    Err(fault) => results.push(Some(this.errors.object(py, &fault, "")?.unbind())),
                }
            }
            let left = waiting.len();
            if left == 0 {
                set(py, &future, PyList::new(py, results)?.into_any())?;
                return Ok(future);
            }
            let many = Batch {
                future: future.clone().unbind(),
                waiting,
                results,
                left,
            };
            let many = Arc::new(Mutex::new(many));
            for _ in 0..limit.max(1).min(left) {
                let mut held = many.lock().unwrap_or_else(PoisonError::into_inner);
                this.go_on(py, &many, &mut held)?;
            }
            let done = this.reactor()?.take_done();
            this.tell(py, done)?;
            Ok(future)
        };
        this.border.cross(py, answer, |twin| {
            twin.call_method1("fetch_many", (requests, limit))
                .map(|answer| answer.unbind().into_bound(py))
        })
    }

    fn metrics(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let answer = || Ok(metrics(py, &self.shared)?.into_any().unbind());
        self.border.cross(py, answer, |twin| {
            Ok(twin.call_method0("metrics")?.unbind())
        })
    }

    /// The loop says that the descriptor is readable.
    fn _on_ready(&self, py: Python<'_>) -> PyResult<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Ok(());
        }
        let turn = || {
            let mut reactor = self.reactor()?;
            assert!(!self.trap.load(Ordering::Relaxed), "on purpose");
            reactor
                .turn(Some(Duration::ZERO))
                .map_err(|error| PyOSError::new_err(error.to_string()))?;
            let done = reactor.take_done();
            drop(reactor);
            self.tell(py, done)?;
            self.sweep(py)
        };
        // The loop has nobody to raise to: those who wait have been told.
        self.border
            .guard(py, turn, |cause| self.give_up(py, &lost(cause)))
    }

    /// Fails what is under way, and lets the loop go.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let lost = self.lost.load(Ordering::Relaxed);
        if lost {
            self.shared.close();
        } else if !self.shared.is_closed() {
            self.shared.close();
            let mut reactor = self.reactor()?;
            let keys: Vec<usize> = self.waiters().by_key.keys().copied().collect();
            for key in keys {
                reactor.fail(key);
            }
            let done = reactor.take_done();
            drop(reactor);
            self.leave_loop(py)?;
            self.tell(py, done)?;
        }
        self.border
            .cross(py, || Ok(()), |twin| twin.call_method0("close").map(drop))
    }

    /// Leaves the answers to the twin from now on; says why in `cause`.
    fn fall_back(&self, py: Python<'_>, cause: &str) -> PyResult<()> {
        self.border.fall_back(py, cause).map(drop)
    }

    /// Panics inside, on purpose: lets the tests show that the twin answers then.
    fn _panic(&self, py: Python<'_>, url: &str) -> PyResult<Py<PyAny>> {
        self.border.cross(
            py,
            || panic!("on purpose"),
            |twin| Ok(twin.call_method1("get", (url,))?.unbind()),
        )
    }

    /// Lets the next wake-up panic, on purpose.
    fn _trap(&self) {
        self.trap.store(true, Ordering::Relaxed);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.errors.traverse(&visit)?;
        self.border.traverse(&visit)?;
        if let Ok(waiters) = self.waiters.try_lock() {
            for waiter in waiters.by_key.values() {
                match waiter {
                    Waiter::Response(future, _) | Waiter::Stream(Some(future), _) => {
                        visit.call(future)?;
                    }
                    Waiter::Stream(None, _) | Waiter::Batch(..) => {}
                }
            }
        }
        Ok(())
    }
}

/// Where the pieces of a request's body are put in.
#[pyclass(frozen, module = "agent_core_utils")]
#[derive(Default)]
pub(crate) struct HttpFeed {
    queue: Arc<Queue>,
}

#[pymethods]
impl HttpFeed {
    fn push(&self, piece: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(bytes) = super::convert::piece(piece)? else {
            let kind = piece.get_type().name()?;
            let text = format!("a piece of the body must be bytes, got {kind}");
            return Err(pyo3::exceptions::PyTypeError::new_err(text));
        };
        self.queue.push(bytes);
        Ok(())
    }

    fn end(&self) {
        self.queue.end();
    }

    fn waiting(&self) -> usize {
        self.queue.waiting()
    }
}
