//! The body of a response, decoded as its bytes come.

use super::fault::Fault;
use super::head::Framing;

const MAX_CHUNK_LINE: usize = 256;
const MAX_TRAILER: usize = 8192;

/// Decodes one body; keeps what is incomplete, never what lies behind.
#[derive(Debug)]
pub struct Body {
    state: State,
    limit: u64,
    taken: u64,
    line: Vec<u8>,
    trailer: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilClose,
    Size,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Done,
}

impl Body {
    /// A body of at most `limit` bytes. One that is announced larger is refused at once.
    pub fn new(framing: Framing, limit: u64) -> Result<Self, Fault> {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) if length > limit => return Err(too_large(limit)),
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::UntilClose => State::UntilClose,
        };
        Ok(Self {
            state,
            limit,
            taken: 0,
            line: Vec::new(),
            trailer: 0,
        })
    }

    /// Whether the body is complete.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether only the connection's end completes it.
    #[must_use]
    pub fn is_until_close(&self) -> bool {
        self.state == State::UntilClose
    }

    /// Decodes from `bytes` into `out`; returns how many bytes were of this body.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Fault> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            let rest = &bytes[at..];
            at += match self.state {
                State::Length(left) => {
                    let take = self.take(rest, left, out)?;
                    self.state = match left - take as u64 {
                        0 => State::Done,
                        left => State::Length(left),
                    };
                    take
                }
                State::UntilClose => self.take(rest, u64::MAX, out)?,
                State::Chunk(left) => {
                    let take = self.take(rest, left, out)?;
                    self.state = match left - take as u64 {
                        0 => State::ChunkEnd,
                        left => State::Chunk(left),
                    };
                    take
                }
                State::Size | State::ChunkEnd | State::Trailer => self.read_line(rest)?,
                State::Done => 0,
            };
        }
        Ok(at)
    }

    /// The connection closed: complete, or an error.
    pub fn close(&mut self) -> Result<(), Fault> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err(Fault::protocol(
                "the connection closed before the response was complete",
            )),
        }
    }

    fn take(&mut self, bytes: &[u8], left: u64, out: &mut Vec<u8>) -> Result<usize, Fault> {
        let take = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        self.taken += take as u64;
        if self.taken > self.limit {
            return Err(too_large(self.limit));
        }
        out.extend_from_slice(&bytes[..take]);
        Ok(take)
    }

    /// Takes bytes up to a line's end, and acts on a whole line.
    fn read_line(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let malformed = || Fault::protocol("the response's chunks are malformed");
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let take = end.map_or(bytes.len(), |end| end + 1);
        self.line.extend_from_slice(&bytes[..take]);
        let most = match self.state {
            State::ChunkEnd => 2,
            State::Size => MAX_CHUNK_LINE,
            _ => MAX_TRAILER - self.trailer,
        };
        if self.line.len() > most {
            return Err(malformed());
        }
        if end.is_none() {
            return Ok(take);
        }
        let line = std::mem::take(&mut self.line);
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Err(malformed());
        };
        if line.contains(&b'\r') || line.contains(&0) {
            return Err(malformed());
        }
        self.state = match self.state {
            State::Size => match chunk_size(line).ok_or_else(malformed)? {
                0 => State::Trailer,
                size if size > self.limit - self.taken => return Err(too_large(self.limit)),
                size => State::Chunk(size),
            },
            State::ChunkEnd => State::Size,
            _ if line.is_empty() => State::Done,
            _ => {
                self.trailer += line.len() + 2;
                let name = line.split(|&byte| byte == b':').next().unwrap_or(b"");
                if name.len() == line.len() || !is_token(name) {
                    return Err(malformed());
                }
                State::Trailer
            }
        };
        Ok(take)
    }
}

fn too_large(limit: u64) -> Fault {
    Fault::new(
        super::Kind::TooLarge,
        format!("the response's body is larger than {limit} bytes"),
    )
}

/// Hexadecimal digits, then nothing or an extension.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    if !(1..=15).contains(&digits) {
        return None;
    }
    let rest = super::head::trim(&line[digits..]);
    if !(rest.is_empty() || rest.starts_with(b";")) {
        return None;
    }
    let text = std::str::from_utf8(&line[..digits]).ok()?;
    u64::from_str_radix(text, 16).ok()
}

/// RFC 9110's token, at least one character.
pub(crate) fn is_token(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8], step: usize) -> Result<(Vec<u8>, bool), Fault> {
        let mut body = Body::new(Framing::Chunked, 100)?;
        let mut out = Vec::new();
        for part in text.chunks(step) {
            body.feed(part, &mut out)?;
        }
        Ok((out, body.is_done()))
    }

    #[test]
    fn chunks_in_any_pieces() {
        let text = b"3\r\nabc\r\n0A ; x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\n";
        for step in 1..text.len() {
            assert_eq!(decode(text, step), Ok((b"abc0123456789".to_vec(), true)));
        }
    }

    #[test]
    fn strict_chunks() {
        for bad in [
            &b"3\nabc\r\n"[..],
            b"3\r\nabcd\r\n",
            b"x\r\n",
            b"\r\n",
            b"-1\r\n",
            b"0x3\r\n",
            b"1111111111111111\r\n",
            b"0\r\nbad\r\n\r\n",
        ] {
            assert!(decode(bad, 1).is_err(), "{bad:?}");
        }
        assert!(decode(b"65\r\n", 9).is_err(), "larger than the limit");
    }
}
