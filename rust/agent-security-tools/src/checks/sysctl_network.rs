//! The network stack believes no stranger: no redirects, no source routes, SYN cookies.

use crate::audit::{Check, Severity};
use crate::host::sysctl;

/// The check. Forwarding is left out on purpose: Docker needs it.
pub const CHECK: Check = Check {
    id: "sysctl-network",
    title: "the network stack believes no stranger",
    severity: Severity::Medium,
    reference: "Lynis KRNL-6000",
    fix: "Set the value in /etc/sysctl.d/60-hardening.conf and run `sysctl --system`.",
    run: |host| {
        sysctl::judge(
            host,
            &[
                ("net.ipv4.conf.all.accept_redirects", &["0"]),
                ("net.ipv4.conf.all.accept_source_route", &["0"]),
                ("net.ipv4.conf.all.rp_filter", &["1", "2"]),
                ("net.ipv4.conf.all.send_redirects", &["0"]),
                ("net.ipv4.conf.default.accept_redirects", &["0"]),
                ("net.ipv4.icmp_echo_ignore_broadcasts", &["1"]),
                ("net.ipv4.tcp_syncookies", &["1", "2"]),
                ("net.ipv6.conf.all.accept_redirects", &["0"]),
                ("net.ipv6.conf.all.accept_source_route", &["0", "-1"]),
            ],
        )
    },
};
