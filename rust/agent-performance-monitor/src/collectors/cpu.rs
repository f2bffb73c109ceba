//! `node_cpu_seconds_total` and the guests' share, from `/proc/stat`, in ticks of 1/100 s.

use std::collections::HashMap;

use super::Collector;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Cpu {
    Cpu::default()
}

/// Remembers the last figures, as the kernel's may go back a little.
#[derive(Debug, Default)]
pub(super) struct Cpu {
    last: HashMap<String, [u64; FIELDS]>,
}

/// The columns of `/proc/stat` after the name: eight modes, then two for guests (proc(5)).
const FIELDS: usize = 10;
const MODES: [(&str, usize); 8] = [
    ("idle", 3),
    ("iowait", 4),
    ("irq", 5),
    ("nice", 1),
    ("softirq", 6),
    ("steal", 7),
    ("system", 2),
    ("user", 0),
];
const GUEST_MODES: [(&str, usize); 2] = [("nice", 9), ("user", 8)];
/// A step back of less than this is the kernel's idle and iowait accounting, not a restart
/// (`node_exporter` uses the same 3 seconds). A counter that went back would look like a spike.
const JITTER_TICKS: u64 = 300;

impl Collector for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn collect(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        let text = host.proc("stat")?;
        let mut found: Vec<(&str, [u64; FIELDS])> = Vec::new();
        for (number, line) in text.lines() {
            let Some(rest) = line.strip_prefix("cpu") else {
                continue;
            };
            let mut words = rest.split_whitespace();
            let cpu = match words.next() {
                Some(cpu) if !rest.starts_with(' ') => cpu,
                _ => continue, // the line of all processors together
            };
            let mut ticks = [0; FIELDS];
            // Old kernels have fewer columns; four are there since 2.4.
            for (index, slot) in ticks.iter_mut().enumerate() {
                *slot = match words.next() {
                    None if index >= 4 => break,
                    word => text.number(number, word)?,
                };
            }
            found.push((cpu, self.smooth(cpu, ticks)));
        }
        if found.is_empty() {
            return Err(text.wrong(1, "there is no line for a processor"));
        }
        page.family(
            "node_cpu_guest_seconds_total",
            "Seconds the CPUs spent in guests (VMs) for each mode.",
            Kind::Counter,
        );
        write(page, &found, &GUEST_MODES);
        page.family(
            "node_cpu_seconds_total",
            "Seconds the CPUs spent in each mode.",
            Kind::Counter,
        );
        write(page, &found, &MODES);
        self.last = found
            .into_iter()
            .map(|(cpu, ticks)| (cpu.to_string(), ticks))
            .collect();
        Ok(())
    }
}

impl Cpu {
    fn smooth(&self, cpu: &str, mut ticks: [u64; FIELDS]) -> [u64; FIELDS] {
        if let Some(last) = self.last.get(cpu) {
            for (now, before) in ticks.iter_mut().zip(last) {
                if *now < *before && before - *now < JITTER_TICKS {
                    *now = *before;
                }
            }
        }
        ticks
    }
}

fn write(page: &mut Page, found: &[(&str, [u64; FIELDS])], modes: &[(&str, usize)]) {
    for (cpu, ticks) in found {
        for (mode, column) in modes {
            let labels = [("cpu", *cpu), ("mode", *mode)];
            page.sample(&labels, Value::Scaled(ticks[*column], 2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_step_back_is_ignored_and_a_large_one_is_a_restart() {
        let mut cpu = Cpu::default();
        let mut last = [0; FIELDS];
        last[3] = 1000;
        cpu.last.insert("0".into(), last);
        let mut now = last;
        now[3] = 701;
        assert_eq!(cpu.smooth("0", now)[3], 1000);
        now[3] = 700;
        assert_eq!(cpu.smooth("0", now)[3], 700);
        assert_eq!(cpu.smooth("1", now)[3], 700);
    }
}
