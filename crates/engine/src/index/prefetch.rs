//! Prefetching memory into the processor's cache, so that the waits for several cache lines
//! overlap.

use std::ffi::c_void;

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Begins to fetch `bytes` of memory into the cache and returns at once. Does nothing on processors
/// other than x86-64.
#[inline]
#[allow(unsafe_code)] // an instruction for which there is no safe function
pub fn prefetch(start: *const c_void, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for offset in (0..start.addr() % LINE_BYTES + bytes).step_by(LINE_BYTES) {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        // SAFETY: the instruction is a hint: it never faults, whatever the address is.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_byte_add(offset).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (start, bytes, LINE_BYTES);
}
