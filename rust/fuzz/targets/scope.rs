//! A scope file is read or refused, and what it does not hold is never admitted.
#![no_main]

use agent_security_tools::scope::Scope;
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};

fuzz_target!(|input: &str| {
    let Ok(scope) = Scope::parse(input) else {
        return;
    };
    for never in [
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(169, 254, 169, 254),
    ] {
        assert!(scope.admit(IpAddr::V4(never)).is_err());
    }
    let _ = scope.targets(&[]);
});
