//! A layer of a tile: its features, and the tables of their tags.

use super::grid::EXTENT;
use super::protobuf::{write_bytes, write_bytes_head, write_packed, write_uint};
use super::shapes::{Kind, Shape};
use super::tags::Tags;
use super::Frame;
use crate::error::{Error, Result};
use crate::field::{self, Names, Value};
use crate::geometry::{CollectionKind, Geometry};
use crate::json;
use crate::number::parse_uint;
use crate::object::{self, Object};

/// The numbers of protobuf fields.
const TILE_LAYER: usize = 3;
const LAYER_NAME: usize = 1;
const LAYER_FEATURE: usize = 2;
const LAYER_EXTENT: usize = 5;
const LAYER_VERSION: usize = 15;
const FEATURE_ID: usize = 1;
const FEATURE_TAGS: usize = 2;
const FEATURE_TYPE: usize = 3;
const FEATURE_GEOMETRY: usize = 4;
/// The version of the tile format.
const VERSION: u64 = 2;
/// The largest id that JavaScript, in which nearly all tiles are decoded, keeps exactly.
const FEATURE_ID_MAX: u64 = (1 << 53) - 1;
/// The maximum size of a layer. Larger tiles are of no use to a browser.
const LAYER_BYTES_MAX: usize = 256 << 20;

/// A layer under construction.
pub struct Layer<'a> {
    name: &'a [u8],
    frame: &'a Frame,
    names: &'a Names,
    has_fields: bool,
    features: Vec<u8>,
    tags: Tags,
    scratch: Vec<u8>,
}

/// What an object's features have in common.
struct Origin<'a> {
    object: &'a Object,
    /// The feature id, if the object is one feature and has a numeric id.
    feature_id: Option<u64>,
    /// GeoJSON's properties.
    properties: Option<json::Value<'a>>,
    /// The tags but the first one, once they are known.
    tags: Option<Vec<u32>>,
}

impl<'a> Layer<'a> {
    /// Returns an empty layer. `names` has the names of the objects' fields; `has_fields` tells
    /// whether fields become tags.
    pub fn new(name: &'a [u8], frame: &'a Frame, names: &'a Names, has_fields: bool) -> Self {
        let (features, tags, scratch) = (Vec::new(), Tags::default(), Vec::new());
        Layer { name, frame, names, has_fields, features, tags, scratch }
    }

    /// Returns whether the layer has no features.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Adds the features of an object. Fails if the layer becomes too large.
    pub fn add(&mut self, object: &Object) -> Result<()> {
        let feature_id = parse_uint(object.id())
            .filter(|id| *id <= FEATURE_ID_MAX && id.to_string().as_bytes() == object.id());
        let mut origin = Origin { object, feature_id, properties: None, tags: None };
        match object.shape() {
            object::Shape::Point(point) => {
                self.add_geometry(&Geometry::simple_point(*point), &mut origin)
            }
            object::Shape::Geometry(geometry) => self.add_geometry(geometry, &mut origin),
            object::Shape::String => Ok(()),
        }
    }

    fn add_geometry(&mut self, geometry: &Geometry, origin: &mut Origin) -> Result<()> {
        match geometry {
            Geometry::Feature(feature) => {
                let members = feature.members.as_deref();
                let properties =
                    members.and_then(|members| json::last_member(members, b"properties"));
                let Origin { object, feature_id, .. } = *origin;
                let mut origin = Origin { object, feature_id, properties, tags: None };
                self.add_geometry(&feature.geometry, &mut origin)
            }
            Geometry::Collection(collection)
                if matches!(
                    collection.kind,
                    CollectionKind::GeometryCollection | CollectionKind::FeatureCollection
                ) =>
            {
                origin.feature_id = None;
                collection.children.iter().try_for_each(|child| self.add_geometry(child, origin))
            }
            _ => {
                let shape = Shape::of(geometry, self.frame);
                let kind = shape.kind();
                let commands = shape.draw();
                if !commands.is_empty() {
                    self.add_feature(kind, &commands, origin);
                }
                if self.features.len() + self.tags.values.bytes.len() > LAYER_BYTES_MAX {
                    return Err(Error::text("the tile is too large, use LIMIT or SPARSE"));
                }
                Ok(())
            }
        }
    }

    fn add_feature(&mut self, kind: Kind, commands: &[u32], origin: &mut Origin) {
        let type_name = match kind {
            Kind::Points => "point",
            Kind::Lines => "linestring",
            Kind::Polygons => "polygon",
        };
        let mut tags = Vec::new();
        self.tags.begin();
        self.tags.add(&mut tags, b"type", &Value::string(type_name.as_bytes().into()));
        let common = match origin.tags.take() {
            Some(tags) => tags,
            None => self.common_tags(origin),
        };
        tags.extend_from_slice(&common);
        origin.tags = Some(common);
        self.scratch.clear();
        if let Some(id) = origin.feature_id {
            write_uint(&mut self.scratch, FEATURE_ID, id);
        }
        write_packed(&mut self.scratch, FEATURE_TAGS, &tags);
        write_uint(&mut self.scratch, FEATURE_TYPE, kind as u64);
        write_packed(&mut self.scratch, FEATURE_GEOMETRY, commands);
        write_bytes(&mut self.features, LAYER_FEATURE, &self.scratch);
    }

    /// Returns the tags after the type: the id, the fields, and the properties of the GeoJSON. Of
    /// equal names the first counts: fields change more often than properties.
    fn common_tags(&mut self, origin: &Origin) -> Vec<u32> {
        let mut tags = Vec::new();
        let id = Value::string(origin.object.id().into());
        self.tags.add(&mut tags, b"id", &id);
        if self.has_fields {
            for (serial, value) in origin.object.fields().iter() {
                self.tags.add(&mut tags, self.names.name(serial), &value);
            }
        }
        for (name, value) in origin.properties.iter().flat_map(json::Value::members) {
            self.tags.add(&mut tags, &name.string(), &field::Value::of_json(value.raw));
        }
        tags
    }

    /// Appends the layer to a tile.
    pub fn write(&self, tile: &mut Vec<u8>) {
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        write_bytes(&mut head, LAYER_NAME, String::from_utf8_lossy(self.name).as_bytes());
        write_uint(&mut tail, LAYER_EXTENT, u64::from(EXTENT));
        write_uint(&mut tail, LAYER_VERSION, VERSION);
        let (keys, values) = (&self.tags.keys.bytes, &self.tags.values.bytes);
        let parts = [&head, &self.features, keys, values, &tail];
        write_bytes_head(tile, TILE_LAYER, parts.iter().map(|part| part.len()).sum());
        for part in parts {
            tile.extend_from_slice(part);
        }
    }
}
