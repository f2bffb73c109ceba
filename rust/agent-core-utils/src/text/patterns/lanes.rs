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
            together(dfa, kind, start, &mut lanes, &mut found.lanes);
        } else {
            for (lane, hits) in lanes.iter_mut().zip(&mut found.lanes) {
                alone(dfa, kind, start, lane, hits);
            }
        }
    }
}

/// Steps through all lanes in turn until one is at its end.
fn together(
    dfa: &DFA,
    kind: MatchKind,
    start: StateID,
    lanes: &mut [Lane; LANES],
    hits: &mut [Vec<Hit>; LANES],
) {
    let [a, b, c, d] = lanes;
    let (ta, tb, tc, td) = (a.text, b.text, c.text, d.text);
    let (mut sa, mut sb, mut sc, mut sd) = (a.state, b.state, c.state, d.state);
    let (mut pa, mut pb, mut pc, mut pd) = (a.at, b.at, c.at, d.at);
    loop {
        let count = (ta.len() - pa).min(tb.len() - pb);
        let count = count.min(tc.len() - pc).min(td.len() - pd);
        if count == 0 {
            break;
        }
        let bytes = (ta[pa..pa + count].iter().zip(&tb[pb..pb + count]))
            .zip(tc[pc..pc + count].iter().zip(&td[pd..pd + count]));
        let mut done = 0;
        let mut special = false;
        for ((&ba, &bb), (&bc, &bd)) in bytes {
            sa = dfa.next_state(Anchored::No, sa, ba);
            sb = dfa.next_state(Anchored::No, sb, bb);
            sc = dfa.next_state(Anchored::No, sc, bc);
            sd = dfa.next_state(Anchored::No, sd, bd);
            done += 1;
            special =
                dfa.is_special(sa) | dfa.is_special(sb) | dfa.is_special(sc) | dfa.is_special(sd);
            if special {
                break;
            }
        }
        (pa, pb, pc, pd) = (pa + done, pb + done, pc + done, pd + done);
        if special {
            let each = [&mut *a, &mut *b, &mut *c, &mut *d]
                .into_iter()
                .zip(&mut *hits);
            let stands = [
                (&mut sa, &mut pa),
                (&mut sb, &mut pb),
                (&mut sc, &mut pc),
                (&mut sd, &mut pd),
            ];
            for ((lane, hits), (state, at)) in each.zip(stands) {
                if dfa.is_special(*state) {
                    settle(dfa, kind, start, state, at, &mut lane.pending, hits);
                }
            }
        }
    }
    (a.state, b.state, c.state, d.state) = (sa, sb, sc, sd);
    (a.at, b.at, c.at, d.at) = (pa, pb, pc, pd);
}

/// Steps through one lane to its end.
fn alone(dfa: &DFA, kind: MatchKind, start: StateID, lane: &mut Lane, hits: &mut Vec<Hit>) {
    while let Some(&byte) = lane.text.get(lane.at) {
        lane.state = dfa.next_state(Anchored::No, lane.state, byte);
        lane.at += 1;
        if dfa.is_special(lane.state) {
            let (state, at) = (&mut lane.state, &mut lane.at);
            settle(dfa, kind, start, state, at, &mut lane.pending, hits);
        }
    }
}

/// Takes what a special state says into account.
#[inline]
fn settle(
    dfa: &DFA,
    kind: MatchKind,
    start: StateID,
    state: &mut StateID,
    at: &mut usize,
    pending: &mut Option<Hit>,
    hits: &mut Vec<Hit>,
) {
    let hit = |nth: usize| {
        let pattern = dfa.match_pattern(*state, nth);
        Hit {
            pattern: pattern.as_u32(),
            start: narrow(*at - dfa.pattern_len(pattern)),
            end: narrow(*at),
        }
    };
    if dfa.is_dead(*state) {
        // No longer match can follow; the search goes on where the match has ended.
        if let Some(hit) = pending.take() {
            hits.push(hit);
            *at = hit.end as usize;
        }
        *state = start;
    } else if dfa.is_match(*state) {
        match kind {
            MatchKind::Leftmost => *pending = Some(hit(0)),
            MatchKind::Overlapping => hits.extend((0..dfa.match_len(*state)).map(hit)),
        }
    }
}
