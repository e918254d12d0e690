//! Any text as `GeoJSON`: no crash, and what is printed is read again as the same.
#![no_main]

use engine::geometry::geojson::ParseOptions;
use engine::geometry::Geometry;
use libfuzzer_sys::fuzz_target;

const NULL: &[u8] = b"null";

fn print(geometry: &Geometry) -> Vec<u8> {
    let mut text = Vec::new();
    geometry.write_json(&mut text);
    text
}

fuzz_target!(|data: &[u8]| {
    let Ok(geometry) = Geometry::parse(data, ParseOptions::default()) else { return };
    let text = print(&geometry);
    // JSON has no infinite number: it is printed as null, which isn't read as a number.
    if text.windows(NULL.len()).any(|part| part == NULL) {
        return;
    }
    let again = Geometry::parse(&text, ParseOptions::default());
    assert!(again.is_ok(), "{}", String::from_utf8_lossy(&text));
    assert_eq!(again.map(|geometry| print(&geometry)), Ok(text));
});
