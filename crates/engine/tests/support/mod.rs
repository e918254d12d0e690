//! What tests of the engine share.

pub mod planar;
