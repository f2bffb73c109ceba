//! Work done with the widest vectors that the processor has, chosen while running.
//!
//! The compiler makes vectors of loops without branches, as wide as the function it inlines
//! them into may use. So a kernel is a type whose `run` is inlined, always; a closure would
//! be called instead.

#![expect(
    clippy::inline_always,
    reason = "only inlined code gets the wide vectors"
)]

/// Work that gains from wide vectors. `run` must be `#[inline(always)]`, and all it calls in
/// its loops too.
pub(super) trait Kernel {
    /// What comes of it.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

struct Vectorized<K>(K);

impl<K: Kernel> pulp::WithSimd for Vectorized<K> {
    type Output = K::Output;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> K::Output {
        self.0.run()
    }
}

/// Does the work of a kernel.
#[inline]
pub(super) fn wide<K: Kernel>(kernel: K) -> K::Output {
    pulp::Arch::new().dispatch(Vectorized(kernel))
}
