//! `SharedBytes`: many bytes that several owners read, none of whom copies them.

use std::sync::Arc;

/// The end of a buffer that never changes. Cloning doesn't copy the bytes.
#[derive(Clone, Debug, Default)]
pub struct SharedBytes {
    buffer: Arc<Vec<u8>>,
    start: usize,
}

impl SharedBytes {
    /// Returns the bytes of a buffer from a position on.
    pub fn new(buffer: Vec<u8>, start: usize) -> Self {
        debug_assert!(start <= buffer.len());
        SharedBytes { buffer: Arc::new(buffer), start }
    }

    /// Returns the bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}
