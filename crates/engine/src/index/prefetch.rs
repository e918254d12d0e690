//! Asking for memory before it is needed, so that several waits for it become one.

use std::ffi::c_void;

/// Bytes that come into the cache together.
const LINE_BYTES: usize = 64;

/// Has memory fetched into the cache, without waiting for it.
#[inline]
#[allow(unsafe_code)] // one instruction, for which there is no safe function
pub fn prefetch(start: *const c_void, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for offset in (0..start.addr() % LINE_BYTES + bytes).step_by(LINE_BYTES) {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        // SAFETY: a hint: whatever the address is, nothing is read and nothing fails.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_byte_add(offset).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (start, bytes, LINE_BYTES);
}
