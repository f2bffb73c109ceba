//! Services listen on the addresses they need, not on all of them.

use crate::audit::{Check, Severity, Verdict};

/// The check.
pub const CHECK: Check = Check {
    id: "listener-all-addresses",
    title: "services listen on the addresses they need, not on all of them",
    severity: Severity::Medium,
    reference: "Lynis NETW-3012",
    fix: "Bind the service to a loopback or internal address, or waive the port with the reason.",
    run: |host| {
        let listeners = match host.listeners() {
            Ok(listeners) => listeners,
            Err(problem) => return vec![Verdict::Error(problem.to_string()).of("listeners")],
        };
        let mut outcomes: Vec<_> = listeners
            .iter()
            .filter(|listener| listener.on_all_addresses())
            .map(|listener| {
                let evidence = format!(
                    "{} listens, owned by uid {}",
                    listener.place(),
                    listener.uid
                );
                Verdict::Fail(evidence).of(format!("{}/{}", listener.proto, listener.port))
            })
            .collect();
        if outcomes.is_empty() {
            let evidence = format!("{} listeners, each on one address", listeners.len());
            outcomes.push(Verdict::Pass(evidence).of("listeners"));
        }
        outcomes
    },
};
