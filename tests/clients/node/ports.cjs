// Leads the connections of tile38-ts' own tests, which name fixed ports, to the servers of our test.
"use strict";
const net = require("node:net");

const PORTS = new Map([
  [9851, Number(process.env.TILE38_PORT)],
  [9852, Number(process.env.TILE38_FOLLOWER_PORT)],
]);

const connect = net.createConnection;
net.createConnection = (options, ...more) => {
  const port = Number(options.port);
  return connect({ ...options, port: PORTS.get(port) ?? port }, ...more);
};
