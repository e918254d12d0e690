//! The binding `tile38py._engine`.
