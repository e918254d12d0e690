//! The forms of objects in replies: text, point, box or geohash, and fields.

use crate::field::Names;
use crate::geometry::{geohash, Point, Rect};
use crate::json;
use crate::number::{write_float, write_ordinate};
use crate::object::{Object, Shape};
use crate::reply::{write_bulk, write_bulk_float, write_bulk_with, write_header};

/// The form in which a reply shows an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Form {
    Object,
    Point,
    Bounds,
    Hash(usize),
}

/// Vertices that take as long to write as visiting an object, one unit of work.
const VERTICES_PER_WORK: usize = 4;
/// Bytes of text that take as long to write as visiting an object.
const BYTES_PER_WORK: usize = 1024;

/// Returns the units of work that writing an object costs in addition to visiting it.
pub fn work(object: &Object, form: Form) -> u64 {
    let work = match object.shape() {
        Shape::Point(_) => 0,
        _ if form != Form::Object => 0,
        Shape::String => object.text().len() / BYTES_PER_WORK,
        Shape::Geometry(geometry) => geometry.num_points() / VERTICES_PER_WORK,
    };
    work as u64
}

/// Appends an object as a RESP value; `scratch` is overwritten.
pub fn write_resp(out: &mut Vec<u8>, scratch: &mut Vec<u8>, object: &Object, form: Form) {
    match form {
        Form::Object => match object.shape() {
            Shape::String => write_bulk(out, object.text()),
            _ => write_bulk_with(out, scratch, |text| object.write_text(text)),
        },
        Form::Point => write_point_resp(out, object.center(), object.z()),
        Form::Bounds => {
            let bounds = object.bounds();
            write_header(out, b'*', 2);
            for corner in [bounds.min, bounds.max] {
                write_header(out, b'*', 2);
                write_bulk_float(out, corner.y);
                write_bulk_float(out, corner.x);
            }
        }
        Form::Hash(precision) => {
            write_bulk_with(out, scratch, |text| geohash::encode(object.center(), precision, text));
        }
    }
}

fn write_point_resp(out: &mut Vec<u8>, point: Point, z: f64) {
    write_header(out, b'*', if z == 0.0 { 2 } else { 3 });
    write_bulk_float(out, point.y);
    write_bulk_float(out, point.x);
    if z != 0.0 {
        write_bulk_float(out, z);
    }
}

/// Appends `"object":{…}`, `"point":{…}`, `"bounds":{…}` or `"hash":"…"`.
pub fn write_json_member(out: &mut Vec<u8>, object: &Object, form: Form) {
    match form {
        Form::Object => {
            out.extend_from_slice(b"\"object\":");
            match object.shape() {
                Shape::String => json::write_full(out, object.text()),
                _ => object.write_text(out),
            }
        }
        Form::Point => {
            out.extend_from_slice(b"\"point\":");
            write_lat_lon(out, object.center(), object.z());
        }
        Form::Bounds => {
            let bounds = object.bounds();
            out.extend_from_slice(b"\"bounds\":{\"sw\":");
            write_lat_lon(out, bounds.min, 0.0);
            out.extend_from_slice(b",\"ne\":");
            write_lat_lon(out, bounds.max, 0.0);
            out.push(b'}');
        }
        Form::Hash(precision) => {
            out.extend_from_slice(b"\"hash\":\"");
            geohash::encode(object.center(), precision, out);
            out.push(b'"');
        }
    }
}

/// Appends `{"lat":…,"lon":…}`. Ordinates that aren't finite become null, as Tile38's bare `NaN`
/// isn't JSON.
fn write_lat_lon(out: &mut Vec<u8>, point: Point, z: f64) {
    out.extend_from_slice(b"{\"lat\":");
    write_ordinate(out, point.y);
    out.extend_from_slice(b",\"lon\":");
    write_ordinate(out, point.x);
    if z != 0.0 {
        out.extend_from_slice(b",\"z\":");
        write_ordinate(out, z);
    }
    out.push(b'}');
}

/// Appends the fields as a RESP array of names and values in turn.
pub fn write_fields_resp(out: &mut Vec<u8>, names: &Names, object: &Object) {
    write_header(out, b'*', object.fields().iter().count() * 2);
    for (serial, value) in object.fields().iter() {
        write_bulk(out, names.name(serial));
        write_bulk(out, value.text());
    }
}

/// Appends `"fields":{"name":value,…}`.
pub fn write_fields_json(out: &mut Vec<u8>, names: &Names, object: &Object) {
    out.extend_from_slice(b"\"fields\":{");
    for (index, (serial, value)) in object.fields().iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::write_short(out, names.name(serial));
        out.push(b':');
        value.write_json(out);
    }
    out.push(b'}');
}

/// Appends a box as a GeoJSON polygon, counter-clockwise from its south-western corner.
pub fn write_polygon(out: &mut Vec<u8>, bounds: &Rect) {
    out.extend_from_slice(b"{\"type\":\"Polygon\",\"coordinates\":[[");
    for (index, corner) in bounds.ring().iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",[" } else { b"[" });
        write_ordinate(out, corner.x);
        out.push(b',');
        write_ordinate(out, corner.y);
        out.push(b']');
    }
    out.extend_from_slice(b"]]}");
}

/// Appends a distance in metres: as a bulk string in RESP, as a member in JSON.
pub fn write_distance(out: &mut Vec<u8>, meters: f64, is_json: bool) {
    if is_json {
        out.extend_from_slice(b",\"distance\":");
        write_float(out, meters);
    } else {
        write_bulk_float(out, meters);
    }
}
