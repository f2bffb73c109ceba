//! How fast to go: how many probes at once, and how long to wait for each.

use std::time::Duration;

/// Probes in flight at the start.
const FIRST_WINDOW: usize = 32;
/// Never wait less than this: a busy host or a busy scanner may be late.
const LEAST_WAIT: Duration = Duration::from_millis(250);

/// How many probes may be in flight. Answers need few (more only queue up on the host); silence
/// needs many (each waits its time out), so the window grows as probes end and while it is full,
/// doubling in each round, and halves when the system runs short of something.
#[derive(Debug)]
pub struct Window {
    size: usize,
    most: usize,
}

impl Window {
    /// A window of at most `most`.
    pub fn new(most: usize) -> Self {
        Self {
            size: FIRST_WINDOW.min(most),
            most,
        }
    }

    /// Whether one more may be sent with `flying` in flight.
    pub fn has_room(&self, flying: usize) -> bool {
        flying < self.size
    }

    /// A probe ended in silence: waiting costs nothing, so wait for more at once.
    pub fn grow(&mut self) {
        self.size = (self.size + 1).min(self.most);
    }

    /// The system ran short with `flying` in flight.
    pub fn shrink(&mut self, flying: usize) {
        self.size = (flying / 2).max(1);
        self.most = self.most.min(flying.max(1));
    }
}

/// A host's round-trip time, smoothed as TCP does (RFC 6298).
#[derive(Debug, Clone, Copy, Default)]
pub struct Rtt {
    smooth: Option<(Duration, Duration)>,
}

impl Rtt {
    /// A probe of this host was answered after `sample`.
    pub fn learn(&mut self, sample: Duration) {
        self.smooth = Some(match self.smooth {
            None => (sample, sample / 2),
            Some((mean, spread)) => {
                let off = sample.abs_diff(mean);
                ((mean * 7 + sample) / 8, (spread * 3 + off) / 4)
            }
        });
    }

    /// How long to wait for this host: its own time with a margin on the first try, `most` later.
    pub fn wait(&self, most: Duration, first_try: bool) -> Duration {
        match self.smooth {
            Some((mean, spread)) if first_try => (mean + spread * 4).max(LEAST_WAIT).min(most),
            _ => most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_doubles_each_round_and_halves_on_shortage() {
        let mut window = Window::new(100);
        assert!(window.has_room(31) && !window.has_room(32));
        (0..32).for_each(|_| window.grow());
        assert!(window.has_room(63) && !window.has_room(64));
        (0..100).for_each(|_| window.grow());
        assert!(window.has_room(99) && !window.has_room(100));
        window.shrink(50);
        assert!(window.has_room(24) && !window.has_room(25));
        (0..100).for_each(|_| window.grow());
        assert!(
            !window.has_room(50),
            "it must not grow past where the system ran short"
        );
    }

    #[test]
    fn waits_follow_the_host() {
        let most = Duration::from_secs(1);
        let mut rtt = Rtt::default();
        assert_eq!(
            rtt.wait(most, true),
            most,
            "a host never heard gets the whole time"
        );
        rtt.learn(Duration::from_millis(100));
        assert_eq!(rtt.wait(most, true), Duration::from_millis(300));
        assert_eq!(
            rtt.wait(most, false),
            most,
            "the second try waits the whole time"
        );
        for _ in 0..100 {
            rtt.learn(Duration::from_micros(50));
        }
        assert_eq!(rtt.wait(most, true), LEAST_WAIT);
        assert_eq!(
            rtt.wait(Duration::from_millis(50), true),
            Duration::from_millis(50)
        );
    }
}
