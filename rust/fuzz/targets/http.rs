//! A response reads the same however the network cut it, and nothing behind it is taken for it.
#![no_main]

use agent_core_utils::http::{Body, Head};
use libfuzzer_sys::fuzz_target;

const LIMIT: u64 = 1 << 16;

fuzz_target!(|input: &[u8]| {
    let Some((&cut, bytes)) = input.split_first() else {
        return;
    };
    let cut = usize::from(cut).min(bytes.len());
    let whole = read(&[bytes]);
    let halves = read(&[&bytes[..cut], &bytes[cut..]]);
    assert_eq!(whole.is_some(), halves.is_some());
    if let (Some(one), Some(other)) = (whole, halves) {
        assert_eq!(one, other);
    }
});

/// Status, body and how many bytes were taken; nothing if the response is refused or cut short.
fn read(pieces: &[&[u8]]) -> Option<(u16, Vec<u8>, usize)> {
    let (mut ahead, mut out, mut taken) = (Vec::new(), Vec::new(), 0);
    let mut reading: Option<(Head, Body)> = None;
    for piece in pieces {
        ahead.extend_from_slice(piece);
        if reading.is_none() {
            let Some((head, length)) = Head::parse(&ahead).ok()? else {
                continue;
            };
            ahead.drain(..length);
            taken += length;
            let body = Body::new(head.framing(false).ok()?, LIMIT).ok()?;
            reading = Some((head, body));
        }
        if let Some((_, body)) = &mut reading {
            let count = body.feed(&ahead, &mut out).ok()?;
            ahead.drain(..count);
            taken += count;
        }
    }
    let (head, mut body) = reading?;
    body.close().ok()?;
    Some((head.status, out, taken))
}
