// Decodes a vector tile from stdin with MapLibre's decoder, which lies in the folder that is named.
// Prints the layers: of each feature its id, its tags, and its geometry in the tile's cells.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.argv[2]}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { PbfReader } = await load("pbf");
const { VectorTile, classifyRings } = await load("@mapbox/vector-tile");

const pair = ({ x, y }) => [x, y];

function geometryOf(feature) {
  const parts = feature.loadGeometry();
  if (feature.type === 1) return { type: "MultiPoint", coordinates: parts.flat().map(pair) };
  if (feature.type === 2) {
    return { type: "MultiLineString", coordinates: parts.map((line) => line.map(pair)) };
  }
  const polygons = classifyRings(parts).map((rings) => rings.map((ring) => ring.map(pair)));
  return { type: "MultiPolygon", coordinates: polygons };
}

const tile = new VectorTile(new PbfReader(readFileSync(0)));
const layers = {};
for (const [name, layer] of Object.entries(tile.layers)) {
  layers[name] = [];
  for (let index = 0; index < layer.length; index += 1) {
    const feature = layer.feature(index);
    const { id = null, properties: tags } = feature;
    layers[name].push({ id, tags, geometry: geometryOf(feature) });
  }
}
process.stdout.write(JSON.stringify(layers));
