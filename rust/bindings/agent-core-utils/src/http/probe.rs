//! What has no input or output, for the comparison with the twin: addresses, responses, courses.

use super::convert::fields;
use super::response::{latin1, pairs};
use agent_core_utils::http::{
    Body, Book, Course, Fault, Head, Jar, Kind, Rules, Step, Url, Wish, checked_method,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::sync::{Mutex, PoisonError};

fn refused(fault: &Fault) -> PyErr {
    PyValueError::new_err(format!("{}: {}", fault.kind.name(), fault.text))
}

/// `(scheme, host, port, target)` of an address, or a `ValueError`.
#[pyfunction]
pub(crate) fn http_parse_url(text: &str) -> PyResult<(&'static str, String, u16, String)> {
    let url = Url::parse(text).map_err(|fault| refused(&fault))?;
    Ok((url.scheme(), url.host, url.port, url.target))
}

/// The address that a `Location` means, seen from another.
#[pyfunction]
pub(crate) fn http_join(base: &str, location: &[u8]) -> PyResult<String> {
    let base = Url::parse(base).map_err(|fault| refused(&fault))?;
    let url = base.join(location).map_err(|fault| refused(&fault))?;
    Ok(url.to_string())
}

/// Reads a response from pieces of bytes, then the end of the connection:
/// `(status, version, headers, body, keeps_alive, left_over)`, or a `ValueError`.
#[pyfunction]
pub(crate) fn http_parse_response(
    py: Python<'_>,
    pieces: Vec<Vec<u8>>,
    head_request: bool,
    limit: u64,
) -> PyResult<Bound<'_, PyTuple>> {
    let mut ahead: Vec<u8> = Vec::new();
    let mut out = Vec::new();
    let mut head: Option<Head> = None;
    let mut body: Option<Body> = None;
    for piece in pieces {
        ahead.extend_from_slice(&piece);
        if head.is_none() {
            let Some((found, length)) = Head::parse(&ahead).map_err(|fault| refused(&fault))?
            else {
                continue;
            };
            ahead.drain(..length);
            let framing = found
                .framing(head_request)
                .map_err(|fault| refused(&fault))?;
            body = Some(Body::new(framing, limit).map_err(|fault| refused(&fault))?);
            head = Some(found);
        }
        if let Some(body) = &mut body {
            let count = body
                .feed(&ahead, &mut out)
                .map_err(|fault| refused(&fault))?;
            ahead.drain(..count);
        }
    }
    let (Some(head), Some(mut body)) = (head, body) else {
        return Err(PyValueError::new_err("protocol: incomplete"));
    };
    body.close().map_err(|fault| refused(&fault))?;
    let fields = pairs(py, &head)?;
    (
        head.status,
        head.version.name(),
        fields,
        PyBytes::new(py, &out),
        head.keeps_alive(),
        PyBytes::new(py, &ahead),
    )
        .into_pyobject(py)
}

/// The course of one request at one origin, step by step, by the numbers that a test gives.
#[pyclass(frozen, module = "agent_core_utils")]
pub(crate) struct HttpCourse {
    inside: Mutex<Inside>,
}

struct Inside {
    rules: Rules,
    book: Book,
    jar: Jar,
    course: Option<Course>,
}

type Told = (String, f64, String, String);

fn told(step: Step) -> Told {
    let plain = |name: &str| (name.to_owned(), 0.0, String::new(), String::new());
    match step {
        Step::Wait(seconds) => ("wait".to_owned(), seconds, String::new(), String::new()),
        Step::Send => plain("send"),
        Step::Again => plain("again"),
        Step::Done => plain("done"),
        Step::Fail(fault) => (
            "fail".to_owned(),
            0.0,
            fault.kind.name().to_owned(),
            fault.text.into_owned(),
        ),
    }
}

impl HttpCourse {
    fn with<R>(&self, work: impl FnOnce(&mut Inside, &mut Course) -> R) -> PyResult<R> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut course) = inside.course.take() else {
            return Err(PyValueError::new_err("no request was begun"));
        };
        let answer = work(&mut inside, &mut course);
        inside.course = Some(course);
        Ok(answer)
    }
}

#[pymethods]
impl HttpCourse {
    /// `rules`: the eleven numbers in the order of the contract.
    #[new]
    #[allow(clippy::type_complexity)] // the eleven numbers
    fn new(rules: (u32, f64, f64, f64, f64, f64, f64, f64, u32, f64, u32), now: f64) -> Self {
        let rules = Rules {
            attempts: rules.0,
            backoff_base: rules.1,
            backoff_cap: rules.2,
            retry_after_cap: rules.3,
            budget_ratio: rules.4,
            budget_reserve: rules.5,
            rate: rules.6,
            burst: rules.7,
            failures: rules.8,
            open_seconds: rules.9,
            max_redirects: rules.10,
        };
        let inside = Inside {
            book: Book::new(&rules, now),
            rules,
            jar: Jar::default(),
            course: None,
        };
        Self {
            inside: Mutex::new(inside),
        }
    }

    /// Begins another request; what was learnt of the origin stays.
    #[allow(clippy::too_many_arguments)] // what a request is
    fn start(
        &self,
        method: &str,
        url: &str,
        headers: &Bound<'_, PyAny>,
        has_body: bool,
        replayable: bool,
        idempotent: Option<bool>,
        within: f64,
        now: f64,
    ) -> PyResult<()> {
        checked_method(method).map_err(|fault| refused(&fault))?;
        let wish = Wish {
            method: method.to_owned(),
            url: Url::parse(url).map_err(|fault| refused(&fault))?,
            fields: fields(headers)?.map_err(|fault| refused(&fault))?,
            has_body,
            replayable,
            idempotent,
            within,
        };
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.course = Some(Course::new(wish, now));
        Ok(())
    }

    fn begin(&self, now: f64) -> PyResult<Told> {
        self.with(|inside, course| told(course.begin(&inside.rules, &mut inside.book, now)))
    }

    #[allow(clippy::needless_pass_by_value)] // made for this call
    fn answered(
        &self,
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        now: f64,
        wall: f64,
        random: f64,
    ) -> PyResult<Told> {
        let head = Head::from_fields(
            status,
            headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_slice())),
        );
        self.with(|inside, course| {
            let Inside {
                rules, book, jar, ..
            } = inside;
            told(course.answered(rules, book, Some(jar), &head, (now, wall), &mut || random))
        })
    }

    fn failed(
        &self,
        kind: &str,
        text: String,
        sent: bool,
        stale: bool,
        now: f64,
        random: f64,
    ) -> PyResult<Told> {
        let Some(kind) = Kind::of(kind) else {
            return Err(PyValueError::new_err(format!("no kind '{kind}'")));
        };
        self.with(|inside, course| {
            let fault = Fault::new(kind, text);
            told(course.failed(
                &inside.rules,
                &mut inside.book,
                fault,
                (sent, stale),
                now,
                &mut || random,
            ))
        })
    }

    /// Nanoseconds that admission and a good answer take, without input or output: the mean of
    /// `times`. For the benchmarks.
    fn measure(&self, times: u32) -> PyResult<f64> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let url = Url::parse("http://127.0.0.1/").map_err(|fault| refused(&fault))?;
        let wish = Wish {
            method: "GET".to_owned(),
            url,
            fields: Vec::new(),
            has_body: false,
            replayable: true,
            idempotent: None,
            within: f64::INFINITY,
        };
        let head = Head::from_fields(200, [("content-length", &b"0"[..])].into_iter());
        let mut course = Course::new(wish, 0.0);
        let Inside { rules, book, .. } = &mut *inside;
        let begun = std::time::Instant::now();
        for _ in 0..times {
            let now = begun.elapsed().as_secs_f64();
            std::hint::black_box(course.begin(rules, book, now));
            let told = course.answered(rules, book, None, &head, (now, now), &mut || 0.0);
            std::hint::black_box(told);
        }
        Ok(begun.elapsed().as_secs_f64() * 1e9 / f64::from(times.max(1)))
    }

    fn abandon(&self) -> PyResult<()> {
        self.with(|inside, course| course.abandon(&mut inside.book))
    }

    /// `(method, url, fields, has_body, history, sent, cookie, breaker, counts)`.
    fn state<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyTuple>> {
        let (course, cookie, breaker, counts) = self.with(|inside, course| {
            let cookie = inside
                .jar
                .field(&course.url, now)
                .map(|field| latin1(&field));
            (
                course.clone(),
                cookie,
                inside.book.breaker(now),
                inside.book.counts,
            )
        })?;
        let fields: Vec<(String, String)> = course
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), latin1(value)))
            .collect();
        let counts = [
            counts.requests,
            counts.good,
            counts.refused,
            counts.errors,
            counts.failures,
            counts.retries,
            counts.redirects,
            counts.limited,
            counts.broken,
        ];
        (
            course.method,
            course.url.to_string(),
            PyTuple::new(py, fields)?,
            course.has_body,
            PyTuple::new(py, course.history)?,
            course.sent,
            cookie,
            breaker,
            PyTuple::new(py, counts)?,
        )
            .into_pyobject(py)
    }
}
