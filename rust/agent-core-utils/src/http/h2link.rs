//! HTTP/2 over a connection. (placeholder until the next step)
use super::link::Wire;
#[derive(Debug, Default)]
pub(crate) struct H2 {}
impl H2 {
    pub(crate) fn is_usable(&mut self, _wire: &mut Wire) -> bool {
        false
    }
}
