//! `SharedBytes`: many bytes that several owners read, none of whom copies them.

use std::sync::Arc;

/// The end of a buffer that never changes. Cloning doesn't copy the bytes.
#[derive(Clone)]
pub struct SharedBytes {
    buffer: Arc<dyn AsRef<[u8]> + Send + Sync>,
    start: usize,
}

impl Default for SharedBytes {
    fn default() -> Self {
        SharedBytes::new([], 0)
    }
}

impl SharedBytes {
    /// Returns the bytes of a buffer from a position on.
    pub fn new(buffer: impl AsRef<[u8]> + Send + Sync + 'static, start: usize) -> Self {
        debug_assert!(start <= buffer.as_ref().len());
        SharedBytes { buffer: Arc::new(buffer), start }
    }

    /// Returns the bytes.
    pub fn as_slice(&self) -> &[u8] {
        &(*self.buffer).as_ref()[self.start..]
    }
}
