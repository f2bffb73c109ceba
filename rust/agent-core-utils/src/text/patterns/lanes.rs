//! Several texts through one automaton at once.
//!
//! A step waits for the load of the step before it; with four texts in turn, four loads are
//! on their way at the same time.

use super::{Found, Hit, MatchKind, narrow};
use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;

pub(super) const LANES: usize = 4;

/// Where one text stands.
struct Lane<'t> {
    text: &'t [u8],
    index: usize, // of the text; beyond the last when there is none left
    at: usize,
    state: StateID,
    pending: Option<Hit>, // leftmost: a match that a longer one may still replace
    from: usize,          // where the text's hits begin in the lane's
}

/// Runs all `texts` through `dfa`; leaves offsets in bytes, equal patterns as they are.
pub(super) fn interleave(dfa: &DFA, kind: MatchKind, texts: &[&[u8]], found: &mut Found) {
    found.places.resize(texts.len(), (0, 0..0));
    let Ok(start) = dfa.start_state(Anchored::No) else {
        return; // it was built with this start
    };
    let mut next = 0..texts.len();
    let mut fill = |lane: usize, found: &Found| {
        let index = next.next().unwrap_or(texts.len());
        Lane {
            text: texts.get(index).copied().unwrap_or_default(),
            index,
            at: 0,
            state: start,
            pending: None,
            from: found.lanes[lane].len(),
        }
    };
    let mut lanes: [Lane; LANES] = std::array::from_fn(|lane| fill(lane, found));
    loop {
        let mut working = false;
        for (nth, lane) in lanes.iter_mut().enumerate() {
            while lane.at >= lane.text.len() && lane.index < texts.len() {
                if let Some(hit) = lane.pending.take() {
                    found.lanes[nth].push(hit);
                    lane.at = hit.end as usize;
                    lane.state = start;
                    continue; // behind the match there may be more
                }
                found.places[lane.index] = (nth, lane.from..found.lanes[nth].len());
                *lane = fill(nth, found);
            }
            working |= lane.index < texts.len();
        }
        if !working {
            return;
        }
        if lanes.iter().all(|lane| lane.index < texts.len()) {
            together(dfa, &mut lanes);
        } else {
            for lane in &mut lanes {
                alone(dfa, lane);
            }
        }
        for (nth, lane) in lanes.iter_mut().enumerate() {
            if lane.index < texts.len() && dfa.is_special(lane.state) {
                settle(dfa, kind, start, lane, &mut found.lanes[nth]);
            }
        }
    }
}

/// Steps through all lanes in turn until one is at its end or in a special state.
#[inline]
fn together(dfa: &DFA, lanes: &mut [Lane; LANES]) {
    let [a, b, c, d] = lanes;
    let rest = |lane: &Lane| lane.text.len() - lane.at;
    let count = rest(a).min(rest(b)).min(rest(c)).min(rest(d));
    let part = |lane: &Lane| -> (usize, usize) { (lane.at, lane.at + count) };
    let (pa, pb, pc, pd) = (part(a), part(b), part(c), part(d));
    let bytes = (a.text[pa.0..pa.1].iter().zip(&b.text[pb.0..pb.1]))
        .zip(c.text[pc.0..pc.1].iter().zip(&d.text[pd.0..pd.1]));
    let (mut sa, mut sb, mut sc, mut sd) = (a.state, b.state, c.state, d.state);
    let mut done = 0;
    for ((&ba, &bb), (&bc, &bd)) in bytes {
        sa = dfa.next_state(Anchored::No, sa, ba);
        sb = dfa.next_state(Anchored::No, sb, bb);
        sc = dfa.next_state(Anchored::No, sc, bc);
        sd = dfa.next_state(Anchored::No, sd, bd);
        done += 1;
        if dfa.is_special(sa) | dfa.is_special(sb) | dfa.is_special(sc) | dfa.is_special(sd) {
            break;
        }
    }
    (a.state, b.state, c.state, d.state) = (sa, sb, sc, sd);
    for lane in lanes {
        lane.at += done;
    }
}

fn alone(dfa: &DFA, lane: &mut Lane) {
    while let Some(&byte) = lane.text.get(lane.at) {
        lane.state = dfa.next_state(Anchored::No, lane.state, byte);
        lane.at += 1;
        if dfa.is_special(lane.state) {
            return;
        }
    }
}

/// Takes what a special state says into account.
fn settle(dfa: &DFA, kind: MatchKind, start: StateID, lane: &mut Lane, hits: &mut Vec<Hit>) {
    let hit = |nth: usize, at: usize| {
        let pattern = dfa.match_pattern(lane.state, nth);
        Hit {
            pattern: pattern.as_u32(),
            start: narrow(at - dfa.pattern_len(pattern)),
            end: narrow(at),
        }
    };
    if dfa.is_dead(lane.state) {
        // No longer match can follow; the search goes on where the match has ended.
        if let Some(hit) = lane.pending.take() {
            hits.push(hit);
            lane.at = hit.end as usize;
        }
        lane.state = start;
    } else if dfa.is_match(lane.state) {
        match kind {
            MatchKind::Leftmost => lane.pending = Some(hit(0, lane.at)),
            MatchKind::Overlapping => {
                hits.extend((0..dfa.match_len(lane.state)).map(|nth| hit(nth, lane.at)));
            }
        }
    }
}
