//! The course of one request: admission, retries, redirects, cookies. No input or output.
//!
//! A driver asks what to do next and says what came of it; it never decides. The Python twin has
//! the same machine, and the two are compared step by step.

use super::cookies::{Jar, retry_after};
use super::fault::{Fault, Kind, seconds};
use super::head::Head;
use super::request::Fields;
use super::url::Url;

/// What a client's requests are held to; see the contract for each number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The most times one hop is tried.
    pub attempts: u32,
    /// Seconds that the first retry waits at most.
    pub backoff_base: f64,
    /// Seconds that any retry waits at most.
    pub backoff_cap: f64,
    /// The longest `Retry-After` that is waited for, in seconds.
    pub retry_after_cap: f64,
    /// What a good answer adds to the origin's retry budget.
    pub budget_ratio: f64,
    /// The most retries that the budget holds, and what it begins with.
    pub budget_reserve: f64,
    /// Requests a second and origin; 0 for no limit.
    pub rate: f64,
    /// Requests that may go at once.
    pub burst: f64,
    /// Failures in a row that open the breaker; 0 for no breaker.
    pub failures: u32,
    /// Seconds that an open breaker refuses.
    pub open_seconds: f64,
    /// The most redirects followed; 0 to follow none.
    pub max_redirects: u32,
}

/// What happened at an origin, in counts since the client was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests sent, retries and redirects included.
    pub requests: u64,
    /// Answers with a status below 400.
    pub good: u64,
    /// Answers with a status of 400 to 499.
    pub refused: u64,
    /// Answers with a status of 500 and above.
    pub errors: u64,
    /// Requests without an answer.
    pub failures: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Redirects that led on from here.
    pub redirects: u64,
    /// Requests that the rate limit held back.
    pub limited: u64,
    /// Requests that the breaker refused.
    pub broken: u64,
    /// Connections made.
    pub opened: u64,
    /// Requests sent over a connection that was there.
    pub reused: u64,
    /// Bytes of bodies received.
    pub received: u64,
}

/// What is known of an origin: its limiter, breaker, retry budget and counts.
#[derive(Debug, Clone)]
pub struct Book {
    tokens: f64,
    refilled: f64,
    failures: u32,
    open_until: Option<f64>,
    probing: bool,
    budget: f64,
    /// The metrics.
    pub counts: Counts,
}

impl Book {
    /// Of an origin that was never asked.
    #[must_use]
    pub fn new(rules: &Rules, now: f64) -> Self {
        Self {
            tokens: rules.burst,
            refilled: now,
            failures: 0,
            open_until: None,
            probing: false,
            budget: rules.budget_reserve,
            counts: Counts::default(),
        }
    }

    /// `closed`, `open` or `half-open`, for the metrics.
    #[must_use]
    pub fn breaker(&self, now: f64) -> &'static str {
        match self.open_until {
            None => "closed",
            Some(until) if now < until => "open",
            Some(_) => "half-open",
        }
    }

    fn admit(&mut self, origin: &Url, now: f64) -> Result<(), Fault> {
        let Some(until) = self.open_until else {
            return Ok(());
        };
        let failures = self.failures;
        let text = if now < until {
            let left = seconds(until - now);
            format!(
                "{} failed {failures} times in a row and is left alone for {left} s",
                origin.origin()
            )
        } else if self.probing {
            format!(
                "{} failed {failures} times in a row and is being tried",
                origin.origin()
            )
        } else {
            return Ok(());
        };
        self.counts.broken += 1;
        Err(Fault::new(Kind::Circuit, text))
    }

    /// Takes a token; returns the seconds until it is there.
    fn reserve(&mut self, rules: &Rules, now: f64) -> f64 {
        if now > self.refilled {
            self.tokens = rules
                .burst
                .min(self.tokens + (now - self.refilled) * rules.rate);
            self.refilled = now;
        }
        self.tokens -= 1.0;
        if self.tokens < 0.0 {
            -self.tokens / rules.rate
        } else {
            0.0
        }
    }

    fn succeed(&mut self) {
        self.failures = 0;
        self.open_until = None;
        self.probing = false;
    }

    fn fail(&mut self, rules: &Rules, now: f64) {
        if rules.failures == 0 {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.open_until.is_some() || self.failures >= rules.failures {
            self.open_until = Some(now + rules.open_seconds);
        }
        self.probing = false;
    }
}

/// What a driver has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Let so many seconds pass, then begin.
    Wait(f64),
    /// Send the request as it stands now.
    Send,
    /// Begin at once: another hop, or a connection that had died unused.
    Again,
    /// The last answer is the caller's.
    Done,
    /// The caller gets this error.
    Fail(Fault),
}

/// One request on its way through attempts and hops.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // independent facts, not a state
pub struct Course {
    /// The method, which a redirect may change.
    pub method: String,
    /// Where to.
    pub url: Url,
    /// The caller's header fields, fewer after a redirect to elsewhere.
    pub fields: Fields,
    /// Whether there still is a body to send.
    pub has_body: bool,
    /// The addresses that led on.
    pub history: Vec<String>,
    /// Requests sent so far.
    pub sent: u32,
    idempotent: bool,
    replayable: bool,
    deadline: f64,
    within: f64,
    attempt: u32,
    reserved: bool,
    probing: bool,
}

/// What a course is made of.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The method, checked.
    pub method: String,
    /// Where to.
    pub url: Url,
    /// The caller's header fields, checked.
    pub fields: Fields,
    /// Whether there is a body.
    pub has_body: bool,
    /// Whether the body can be sent again.
    pub replayable: bool,
    /// Whether the caller says that sending it twice does no harm.
    pub idempotent: Option<bool>,
    /// Seconds that the whole may take; infinite for no bound.
    pub within: f64,
}

impl Course {
    /// A course that begins at `now`.
    #[must_use]
    pub fn new(wish: Wish, now: f64) -> Self {
        let by_nature = matches!(
            wish.method.as_str(),
            "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE"
        );
        let keyed = || {
            wish.fields
                .iter()
                .any(|(name, _)| name == "idempotency-key")
        };
        Self {
            idempotent: wish.idempotent.unwrap_or_else(|| by_nature || keyed()),
            method: wish.method,
            url: wish.url,
            fields: wish.fields,
            has_body: wish.has_body,
            history: Vec::new(),
            sent: 0,
            replayable: wish.replayable,
            deadline: now + wish.within,
            within: wish.within,
            attempt: 0,
            reserved: false,
            probing: false,
        }
    }

    /// When the whole must be done; infinite without a bound.
    #[must_use]
    pub const fn deadline(&self) -> f64 {
        self.deadline
    }

    /// That the whole took too long.
    #[must_use]
    pub fn late(&self) -> Fault {
        Fault::new(
            Kind::Deadline,
            format!("it was not done within {} s", seconds(self.within)),
        )
    }

    /// Asks to send: now, later, or not.
    pub fn begin(&mut self, rules: &Rules, book: &mut Book, now: f64) -> Step {
        if now >= self.deadline {
            return Step::Fail(self.late());
        }
        if let Err(fault) = book.admit(&self.url, now) {
            return Step::Fail(fault);
        }
        if rules.rate > 0.0 && !self.reserved {
            let wait = book.reserve(rules, now);
            if wait > 0.0 {
                book.counts.limited += 1;
                if now + wait >= self.deadline {
                    book.tokens += 1.0;
                    return Step::Fail(Fault::new(
                        Kind::Deadline,
                        format!(
                            "the rate limit would hold it for {} s, past its {} s",
                            seconds(wait),
                            seconds(self.within)
                        ),
                    ));
                }
                self.reserved = true;
                return Step::Wait(wait);
            }
        }
        self.reserved = false;
        if book.open_until.is_some() {
            book.probing = true;
            self.probing = true;
        }
        self.attempt += 1;
        self.sent += 1;
        book.counts.requests += 1;
        Step::Send
    }

    /// An answer came, whole or its head. `random` gives numbers from 0 to below 1.
    #[allow(clippy::too_many_arguments)] // what an answer meets
    pub fn answered(
        &mut self,
        rules: &Rules,
        book: &mut Book,
        jar: Option<&mut Jar>,
        head: &Head,
        times: (f64, f64),
        random: &mut dyn FnMut() -> f64,
    ) -> Step {
        let (now, wall) = times;
        self.probing = false;
        match head.status {
            500.. => {
                book.counts.errors += 1;
                book.fail(rules, now);
            }
            status => {
                if status < 400 {
                    book.counts.good += 1;
                } else {
                    book.counts.refused += 1;
                }
                book.budget = rules.budget_reserve.min(book.budget + rules.budget_ratio);
                book.succeed();
            }
        }
        if let Some(jar) = jar {
            for field in head.all("set-cookie") {
                jar.store(&self.url, field, now, wall);
            }
        }
        match head.status {
            301 | 302 | 303 | 307 | 308 if rules.max_redirects > 0 => {
                let Some(location) = head.first("location") else {
                    return Step::Done;
                };
                match self.follow(rules, head.status, location) {
                    Ok(()) => {
                        book.counts.redirects += 1;
                        Step::Again
                    }
                    Err(fault) => Step::Fail(fault),
                }
            }
            429 | 502 | 503 | 504 => {
                let asked = head
                    .first("retry-after")
                    .and_then(|value| retry_after(value, wall));
                self.retry(rules, book, now, asked, random)
                    .map_or(Step::Done, Step::Wait)
            }
            _ => Step::Done,
        }
    }

    /// No answer came. `sent`: bytes of the request may have arrived; `stale`: a connection that
    /// had been idle closed before any answer.
    pub fn failed(
        &mut self,
        rules: &Rules,
        book: &mut Book,
        fault: Fault,
        how: (bool, bool),
        now: f64,
        random: &mut dyn FnMut() -> f64,
    ) -> Step {
        let (sent, stale) = how;
        self.probing = false;
        if stale && self.idempotent && self.replayable {
            self.attempt = self.attempt.saturating_sub(1);
            self.sent = self.sent.saturating_sub(1);
            book.counts.requests = book.counts.requests.saturating_sub(1);
            book.probing = false;
            self.reserved = true; // its token was taken
            return Step::Again;
        }
        book.counts.failures += 1;
        let blames = matches!(
            fault.kind,
            Kind::Connect
                | Kind::Tls
                | Kind::Timeout
                | Kind::Protocol
                | Kind::Proxy
                | Kind::Deadline
        );
        if blames {
            book.fail(rules, now);
        } else {
            book.probing = false;
        }
        let harmless = !sent || self.idempotent;
        let curable = matches!(fault.kind, Kind::Connect | Kind::Timeout | Kind::Protocol);
        if curable && harmless && (!sent || self.replayable) {
            let idempotent = std::mem::replace(&mut self.idempotent, true);
            let replayable = std::mem::replace(&mut self.replayable, true);
            let wait = self.retry(rules, book, now, None, random);
            self.idempotent = idempotent;
            self.replayable = replayable;
            if let Some(wait) = wait {
                return Step::Wait(wait);
            }
        }
        Step::Fail(fault)
    }

    /// The caller lost interest: what was claimed is given back.
    pub fn abandon(&mut self, book: &mut Book) {
        if std::mem::take(&mut self.probing) {
            book.probing = false;
        }
    }

    /// The seconds to wait before the next attempt, if there may be one.
    fn retry(
        &mut self,
        rules: &Rules,
        book: &mut Book,
        now: f64,
        asked: Option<f64>,
        random: &mut dyn FnMut() -> f64,
    ) -> Option<f64> {
        let may = self.idempotent && self.replayable && self.attempt < rules.attempts;
        if !may || asked.is_some_and(|asked| asked > rules.retry_after_cap) || book.budget < 1.0 {
            return None;
        }
        let exponent = i32::try_from(self.attempt.min(64)).unwrap_or(64) - 1;
        let most = rules
            .backoff_cap
            .min(rules.backoff_base * 2.0_f64.powi(exponent));
        let wait = asked.unwrap_or(0.0).max(random() * most);
        if now + wait >= self.deadline {
            return None;
        }
        book.budget -= 1.0;
        book.counts.retries += 1;
        Some(wait)
    }

    /// Turns to where an answer points.
    fn follow(&mut self, rules: &Rules, status: u16, location: &[u8]) -> Result<(), Fault> {
        let refused = |text: String| Err(Fault::new(Kind::Redirect, text));
        if self.history.len() >= rules.max_redirects as usize {
            return refused(format!("more than {} redirects", rules.max_redirects));
        }
        let target = self.url.join(location)?;
        if self.url.https && !target.https {
            return refused(format!("a redirect from https to {}", target.origin()));
        }
        let rewritten = match status {
            303 => self.method != "HEAD",
            301 | 302 => self.method == "POST",
            _ => false,
        };
        if rewritten {
            "GET".clone_into(&mut self.method);
            self.has_body = false;
            self.replayable = true;
            self.idempotent = true;
            self.fields
                .retain(|(name, _)| !name.starts_with("content-"));
        } else if self.has_body && !self.replayable {
            return refused("a redirect asks for a body that can be sent only once".to_owned());
        }
        if !self.url.same_origin(&target) {
            self.fields.retain(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "authorization" | "cookie" | "proxy-authorization"
                )
            });
        }
        self.history.push(self.url.to_string());
        self.url = target;
        self.attempt = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        attempts: 3,
        backoff_base: 0.1,
        backoff_cap: 10.0,
        retry_after_cap: 60.0,
        budget_ratio: 0.1,
        budget_reserve: 10.0,
        rate: 0.0,
        burst: 1.0,
        failures: 2,
        open_seconds: 30.0,
        max_redirects: 2,
    };

    fn course(method: &str, fields: Fields) -> Course {
        let wish = Wish {
            method: method.to_owned(),
            url: Url::parse("https://a.org/x").unwrap(),
            fields,
            has_body: method == "POST",
            replayable: true,
            idempotent: None,
            within: f64::INFINITY,
        };
        Course::new(wish, 0.0)
    }

    fn head(status: u16, fields: &[(&str, &str)]) -> Head {
        Head::from_fields(
            status,
            fields.iter().map(|(name, value)| (*name, value.as_bytes())),
        )
    }

    fn answer(course: &mut Course, book: &mut Book, head: &Head) -> Step {
        course.answered(&RULES, book, None, head, (0.0, 0.0), &mut || 0.5)
    }

    #[test]
    fn retries_what_may_be_sent_twice() {
        let mut book = Book::new(&RULES, 0.0);
        let busy = head(503, &[("retry-after", "7")]);
        let mut get = course("GET", vec![]);
        assert_eq!(get.begin(&RULES, &mut book, 0.0), Step::Send);
        assert_eq!(answer(&mut get, &mut book, &busy), Step::Wait(7.0));
        let mut post = course("POST", vec![]);
        assert_eq!(answer(&mut post, &mut book, &busy), Step::Done);
    }

    #[test]
    fn opens_tries_and_closes() {
        let mut book = Book::new(&RULES, 0.0);
        let mut post = course("POST", vec![]);
        for _ in 0..2 {
            assert_eq!(post.begin(&RULES, &mut book, 0.0), Step::Send);
            answer(&mut post, &mut book, &head(500, &[]));
        }
        assert!(matches!(post.begin(&RULES, &mut book, 29.0), Step::Fail(_)));
        assert_eq!(post.begin(&RULES, &mut book, 31.0), Step::Send);
        assert!(matches!(
            course("GET", vec![]).begin(&RULES, &mut book, 31.0),
            Step::Fail(_)
        ));
        answer(&mut post, &mut book, &head(200, &[]));
        assert_eq!(book.breaker(31.0), "closed");
    }

    #[test]
    fn a_redirect_elsewhere_loses_the_secrets() {
        let mut book = Book::new(&RULES, 0.0);
        let secret = ("authorization".to_owned(), b"s".to_vec());
        let mut post = course(
            "POST",
            vec![secret.clone(), ("content-type".to_owned(), vec![])],
        );
        answer(&mut post, &mut book, &head(303, &[("location", "/y")]));
        assert_eq!((post.method.as_str(), &post.fields), ("GET", &vec![secret]));
        answer(
            &mut post,
            &mut book,
            &head(307, &[("location", "https://b.org/")]),
        );
        assert!(post.fields.is_empty());
        let third = answer(&mut post, &mut book, &head(307, &[("location", "/")]));
        assert!(matches!(third, Step::Fail(_)));
    }
}
