//! A template is read or refused; what was read has every service in its order.
#![no_main]

use agent_container_orchestrator::{Policy, Variables, dependency_order, parse_template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let variables = Variables::from([("TAG".to_owned(), "1".to_owned())]);
    let Ok(project) = parse_template(input, &variables, &Policy::default()) else {
        return;
    };
    let order = dependency_order(&project.services);
    assert_eq!(order.len(), project.services.len());
});
