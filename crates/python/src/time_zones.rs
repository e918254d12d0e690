//! The rules of time zones, from a Python function.

use ::engine::time_zones::TimeZoneRules;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The rules of time zones: calls a Python function.
pub struct PythonRules(pub Py<PyAny>);

impl TimeZoneRules for PythonRules {
    fn utc_offset(&self, zone: &[u8], seconds: i64) -> Option<i32> {
        Python::attach(|py| {
            let answer = self.0.bind(py).call1((PyBytes::new(py, zone), seconds));
            match answer.and_then(|answer| answer.extract::<Option<i32>>()) {
                Ok(offset) => offset,
                Err(error) => {
                    error.write_unraisable(py, None);
                    None
                }
            }
        })
    }
}
