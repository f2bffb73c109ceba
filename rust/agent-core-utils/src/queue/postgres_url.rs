//! `postgresql://` addresses, read as the Python twin reads them.

use super::job::{Error, Result};
use tokio_postgres::Config;

const RIGHT: &str = "postgresql://USER@HOST:PORT/DATABASE or ?host=/SOCKET/FOLDER";

/// The address without its password, for messages.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((credentials, place)) = rest.split_once('@') else {
        return url.to_owned();
    };
    match credentials.split_once(':') {
        Some((user, _)) if !user.contains('/') => format!("{scheme}://{user}:***@{place}"),
        _ => url.to_owned(),
    }
}

/// What to connect with.
pub(super) fn config(url: &str) -> Result<Config> {
    let place = shown(url);
    let wrong = |what: &str| Error::database(what, &place, RIGHT);
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let (mut user, mut password) = (decoded(user), decoded(password));
    let (mut host, mut port) = (host.to_lowercase(), port.to_owned());
    let mut database = decoded(path);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(&value.replace('+', " "));
        match name {
            "host" => host = value,
            "port" => port = value,
            "user" => user = value,
            "password" => password = value,
            "dbname" => database = value,
            "sslmode" if matches!(value.as_str(), "disable" | "prefer" | "allow") => {}
            "sslmode" => {
                let right = "a Unix socket, or a trusted network";
                let what = "TLS to PostgreSQL is not offered";
                return Err(Error::database(what, &place, right));
            }
            other => return Err(wrong(&format!("unknown option '{other}'"))),
        }
    }
    if user.is_empty() {
        user = std::env::var("LOGNAME")
            .or_else(|_| std::env::var("USER"))
            .unwrap_or_else(|_| "postgres".to_owned());
    }
    let mut config = Config::new();
    config.dbname(if database.is_empty() {
        &user
    } else {
        &database
    });
    config.user(&user);
    if !password.is_empty() {
        config.password(&password);
    }
    config.host(if host.is_empty() { "localhost" } else { &host });
    let port = if port.is_empty() {
        Ok(5432)
    } else {
        port.parse()
    };
    config.port(port.map_err(|_| wrong("the address is not understood"))?);
    config.ssl_mode(tokio_postgres::config::SslMode::Disable);
    config.connect_timeout(super::postgres::CONNECT);
    Ok(config)
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{config, shown};

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown("postgresql://me:x@h/d"), "postgresql://me:***@h/d");
        assert_eq!(shown("postgresql://h/d"), "postgresql://h/d");
    }

    #[test]
    fn addresses() {
        let one = config("postgresql://me:p%40ss@db.example:99/jobs").unwrap();
        assert_eq!(one.get_user(), Some("me"));
        assert_eq!(one.get_password(), Some(&b"p@ss"[..]));
        assert_eq!(
            (one.get_ports(), one.get_dbname()),
            (&[99][..], Some("jobs"))
        );
        let two = config("postgresql://me@/jobs?host=%2Ftmp%2Fx").unwrap();
        assert_eq!(format!("{:?}", two.get_hosts()), "[Unix(\"/tmp/x\")]");
        assert!(config("postgresql://h/d?sslmode=require").is_err());
        assert!(config("postgresql://h/d?speed=high").is_err());
    }
}
