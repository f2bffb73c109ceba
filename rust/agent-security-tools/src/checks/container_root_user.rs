//! Containers do not run as root.

use crate::audit::{Check, Severity, Verdict};
use crate::host::containers;
use serde_json::Value;

/// The check.
pub const CHECK: Check = Check {
    id: "container-root-user",
    title: "containers do not run as root",
    severity: Severity::Medium,
    reference: "CIS Docker 1.6.0 4.1",
    fix: "Set `USER` in the image or start it with `--user`; or remap users in the daemon.",
    run: |host| {
        let remap = host
            .daemon()
            .text("userns-remap")
            .is_some_and(|user| !user.is_empty());
        containers::each(host, |container| {
            let user = container.inner("User").and_then(Value::as_str);
            let user = user.ok_or("config.v2.json has no text Config.User")?;
            let name = user.split(':').next().unwrap_or("");
            let is_zero = name.bytes().all(|digit| digit == b'0'); // true of "" too
            if !is_zero && name != "root" {
                return Ok(Verdict::Pass(format!("user {user}")));
            }
            if remap && container.text("UsernsMode")? != "host" {
                return Ok(Verdict::Pass(
                    "root of a remapped user namespace".to_string(),
                ));
            }
            let evidence = if user.is_empty() {
                "no user is set".to_string()
            } else {
                format!("user {user}")
            };
            Ok(Verdict::Fail(evidence))
        })
    },
};
