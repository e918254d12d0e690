// What the programs of all Node.js libraries share: the server's address, the report of steps.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const readline = require("node:readline/promises");

const { TILE38_HOST, TILE38_PORT, TILE38_USER, TILE38_PASSWORD, TILE38_CA } = process.env;

exports.host = TILE38_HOST;
exports.port = Number(TILE38_PORT);
exports.user = TILE38_USER;
exports.password = TILE38_PASSWORD;
exports.certificates = TILE38_CA && fs.readFileSync(TILE38_CA);
// ioredis's options; tile38-ts takes the same.
exports.ioredisOptions = {
  host: exports.host,
  port: exports.port,
  username: exports.user,
  password: exports.password,
  tls: exports.certificates && { ca: exports.certificates },
};
exports.expect = assert.deepEqual;
exports.ok = (step) => console.log("ok", step);

exports.waitForRestart = async () => {
  console.log("restart");
  const input = readline.createInterface({ input: process.stdin });
  assert.equal(await input.question(""), "restarted");
  input.close();
};

// The next arguments that `emitter` emits with an event.
exports.next = (emitter, event) => new Promise((resolve) => emitter.once(event, (...all) => resolve(all)));

exports.run = (main) =>
  main().then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
