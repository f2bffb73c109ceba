//! A schedule is read or refused; the next time it names lies ahead.
#![no_main]

use agent_core_utils::queue::Cron;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, u32)| {
    let (text, now) = input;
    let Ok(cron) = Cron::parse(text) else {
        return;
    };
    if let Some(next) = cron.after(i64::from(now)) {
        assert!(next > i64::from(now));
        assert_eq!(next % 60, 0);
    }
});
