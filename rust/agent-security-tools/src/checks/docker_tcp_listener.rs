//! The Docker API is not offered over TCP without client certificates.

use crate::audit::{Check, Severity, Verdict};
use crate::host::daemon;

/// The port Docker uses for its API without TLS.
const PLAIN_PORT: u16 = 2375;

/// The check.
pub const CHECK: Check = Check {
    id: "docker-tcp-listener",
    title: "the Docker API is not offered over TCP without client certificates",
    severity: Severity::Critical,
    reference: "CIS Docker 1.6.0 2.7",
    fix: "Remove tcp:// from `hosts` and `-H`, or set `tlsverify` with CA, certificate and key.",
    run: |host| {
        daemon::judge(host, |daemon| {
            let hosts = daemon.list("hosts", "host");
            let tcp: Vec<&str> = hosts
                .iter()
                .map(String::as_str)
                .filter(|host| host.starts_with("tcp://"))
                .collect();
            let plain = match host.listeners() {
                Ok(listeners) => listeners
                    .iter()
                    .find(|listener| listener.port == PLAIN_PORT),
                Err(problem) => return Verdict::Error(problem.to_string()),
            };
            if let Some(listener) = plain {
                return Verdict::Fail(format!("{} listens", listener.place()));
            }
            if tcp.is_empty() {
                return Verdict::Pass("no tcp:// host, nothing listens on 2375".to_string());
            }
            let verified = daemon.switch("tlsverify").unwrap_or(false);
            let how = if verified {
                "with tlsverify"
            } else {
                "without tlsverify"
            };
            Verdict::pass_if(verified, format!("{} {how}", tcp.join(", ")))
        })
    },
};
