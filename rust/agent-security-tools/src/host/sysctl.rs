//! Judges kernel settings under `/proc/sys` against the values they may have.

use crate::audit::{Outcome, Verdict};

use super::Host;

/// A setting and the values that are good.
pub type Wanted = (&'static str, &'static [&'static str]);

/// One outcome a setting. A setting this kernel does not have is not applicable.
pub fn judge(host: &Host, wanted: &[Wanted]) -> Vec<Outcome> {
    wanted
        .iter()
        .map(|(key, good)| {
            let path = format!("/sys/{}", key.replace('.', "/"));
            let verdict = match host.procfs.read(&path) {
                Err(problem) => Verdict::Error(problem.to_string()),
                Ok(None) => Verdict::NotApplicable("this kernel has no such setting".to_string()),
                Ok(Some(text)) => {
                    let value = text.trim_ascii();
                    let evidence = format!("{key} = {value}, wants {}", good.join(" or "));
                    Verdict::pass_if(good.contains(&value), evidence)
                }
            };
            verdict.of(*key)
        })
        .collect()
}
