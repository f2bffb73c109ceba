//! A small cookie jar: every cookie goes back to the one host that set it, and to no other.
//!
//! A `Domain` attribute is never widened (no list of public suffixes to be wrong about); one that
//! does not cover the host makes the cookie refused. Bounded.

use super::head::trim;
use super::url::Url;
use std::collections::HashMap;

/// The most cookies kept of a host; the oldest goes first.
pub const MAX_PER_HOST: usize = 50;
/// The most hosts that cookies are kept of.
pub const MAX_HOSTS: usize = 1000;
const MAX_COOKIE: usize = 4096;

#[derive(Debug, Clone)]
struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    path: Vec<u8>,
    secure: bool,
    expires: f64,
}

/// Cookies by host. Time is the clock's of the caller.
#[derive(Debug, Default)]
pub struct Jar {
    hosts: HashMap<String, Vec<Cookie>>,
    order: Vec<String>,
}

impl Jar {
    /// Keeps what a `Set-Cookie` field of an answer from `url` says, unless it is refused.
    pub fn store(&mut self, url: &Url, field: &[u8], now: f64, wall: f64) {
        let Some(cookie) = read(url, field, now, wall) else {
            return;
        };
        if !self.hosts.contains_key(&url.host) {
            if self.order.len() >= MAX_HOSTS {
                let gone = self.order.remove(0);
                self.hosts.remove(&gone);
            }
            self.order.push(url.host.clone());
        }
        let kept = self.hosts.entry(url.host.clone()).or_default();
        kept.retain(|old| (&old.name, &old.path) != (&cookie.name, &cookie.path));
        if cookie.expires > now {
            if kept.len() >= MAX_PER_HOST {
                kept.remove(0);
            }
            kept.push(cookie);
        }
    }

    /// The `Cookie` field for a request to `url`; longest path first, then oldest.
    #[must_use]
    pub fn field(&self, url: &Url, now: f64) -> Option<Vec<u8>> {
        let path = url.path().as_bytes();
        let mut fitting: Vec<&Cookie> = self
            .hosts
            .get(&url.host)?
            .iter()
            .filter(|cookie| cookie.expires > now && (url.https || !cookie.secure))
            .filter(|cookie| covers(&cookie.path, path))
            .collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<Vec<u8>> = fitting
            .iter()
            .map(|cookie| [&cookie.name[..], b"=", &cookie.value].concat())
            .collect();
        (!pairs.is_empty()).then(|| pairs.join(&b"; "[..]))
    }

    /// Whether nothing was ever kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

fn covers(cookie: &[u8], path: &[u8]) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with(b"/") || rest.starts_with(b"/"))
}

fn read(url: &Url, field: &[u8], now: f64, wall: f64) -> Option<Cookie> {
    if field.len() > MAX_COOKIE || field.iter().any(|&byte| byte < 0x20 || byte == 0x7f) {
        return None;
    }
    let mut parts = field.split(|&byte| byte == b';');
    let (name, value) = pair(parts.next()?)?;
    if name.is_empty() {
        return None;
    }
    let own = url.path();
    let folder = &own[..own.rfind('/').unwrap_or(0)];
    let mut cookie = Cookie {
        name: name.to_vec(),
        value: value.to_vec(),
        path: if folder.is_empty() {
            b"/".to_vec()
        } else {
            folder.as_bytes().to_vec()
        },
        secure: false,
        expires: f64::INFINITY,
    };
    let (mut max_age, mut has_domain, mut has_path) = (None, false, false);
    for part in parts {
        let (name, value) = pair(part).unwrap_or((trim(part), b""));
        match name.to_ascii_lowercase().as_slice() {
            b"secure" => cookie.secure = true,
            b"path" if value.starts_with(b"/") => {
                cookie.path = value.to_vec();
                has_path = value == b"/";
            }
            b"domain" if !value.is_empty() => {
                has_domain = true;
                let domain = value
                    .strip_prefix(b".")
                    .unwrap_or(value)
                    .to_ascii_lowercase();
                let host = url.host.as_bytes();
                let inside = host.strip_suffix(&domain[..]);
                if domain.is_empty()
                    || !inside.is_some_and(|head| head.is_empty() || head.ends_with(b"."))
                {
                    return None;
                }
            }
            b"max-age" => max_age = age(value).or(max_age),
            b"expires" => {
                if let Some(at) = parse_date(value) {
                    cookie.expires = now + (at - wall);
                }
            }
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        cookie.expires = if seconds <= 0.0 {
            f64::NEG_INFINITY
        } else {
            now + seconds
        };
    }
    let prefixed = |prefix: &[u8]| {
        name.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    let secure_only = prefixed(b"__secure-") || prefixed(b"__host-");
    let refused = (cookie.secure && !url.https)
        || (secure_only && !cookie.secure)
        || (prefixed(b"__host-") && (has_domain || !has_path));
    (!refused).then_some(cookie)
}

fn pair(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = part.iter().position(|&byte| byte == b'=')?;
    Some((trim(&part[..at]), trim(&part[at + 1..])))
}

/// Seconds of `Max-Age`; a sign, then at most nine digits.
fn age(value: &[u8]) -> Option<f64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if !(1..=9).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if digits.len() == value.len() {
        seconds
    } else {
        -seconds
    })
}

/// Seconds since 1970 of a date as HTTP writes it now: `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn parse_date(text: &[u8]) -> Option<f64> {
    const MONTHS: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let [_, _, _, b',', b' ', day @ .., b' ', b'G', b'M', b'T'] = text else {
        return None;
    };
    if day.len() != 20 {
        return None;
    }
    let separated = matches!(day[2], b' ' | b'-') && day[6] == day[2];
    if !separated || day[11] != b' ' || day[14] != b':' || day[17] != b':' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = &day[from..to];
        part.iter().all(u8::is_ascii_digit).then_some(())?;
        std::str::from_utf8(part).ok()?.parse().ok()
    };
    let month = MONTHS.iter().position(|month| *month == &day[3..6])?;
    let month = i64::try_from(month).ok()? + 1;
    let (date, year) = (number(0, 2)?, number(7, 11)?);
    let (hour, minute, second) = (number(12, 14)?, number(15, 17)?, number(18, 20)?);
    if !(1..=31).contains(&date) || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from the civil calendar, counted from March (Howard Hinnant's algorithm).
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let total = days * 86400 + hour * 3600 + minute * 60 + second;
    Some(total as f64)
}

/// The seconds that a `Retry-After` asks to wait: a number, or a date after `wall`.
#[must_use]
pub fn retry_after(value: &[u8], wall: f64) -> Option<f64> {
    age(value)
        .filter(|seconds| *seconds >= 0.0 && !value.starts_with(b"-"))
        .or_else(|| parse_date(value).map(|at| (at - wall).max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(url: &str, field: &str) -> (Jar, Url) {
        let url = Url::parse(url).unwrap();
        let mut jar = Jar::default();
        jar.store(&url, field.as_bytes(), 0.0, 784_111_777.0);
        (jar, url)
    }

    #[test]
    fn goes_back_to_its_host_alone() {
        let (jar, url) = jar("http://a.example.org/x/y", "k=v; Domain=example.org");
        assert_eq!(jar.field(&url, 0.0), Some(b"k=v".to_vec()));
        let other = Url::parse("http://b.example.org/x/y").unwrap();
        assert_eq!(jar.field(&other, 0.0), None);
        let outside = Url::parse("http://a.example.org/xy").unwrap();
        assert_eq!(jar.field(&outside, 0.0), None);
    }

    #[test]
    fn refuses() {
        for field in [
            "k=v; Secure",
            "__Host-k=v; Path=/",
            "k=v; domain=other.org",
            "=v",
            "novalue",
        ] {
            let (jar, url) = jar("http://a.org/", field);
            assert_eq!(jar.field(&url, 0.0), None, "{field}");
        }
    }

    #[test]
    fn expires() {
        let (jar, url) = jar(
            "http://a.org/",
            "k=v; Expires=Sun, 06 Nov 1994 08:49:47 GMT",
        );
        assert!(jar.field(&url, 9.0).is_some());
        assert!(jar.field(&url, 10.0).is_none());
        assert_eq!(
            parse_date(b"Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777.0)
        );
        assert_eq!(retry_after(b"7", 0.0), Some(7.0));
    }
}
