// node-redis, the version that the first argument names: client, multi, script, pub/sub.
"use strict";
const { createClient, defineScript } = require(process.argv[2]);
const { certificates, expect, host, ok, password, port, run, user, waitForRestart } = require("./steps.cjs");

const place = defineScript({
  SCRIPT: "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')",
  NUMBER_OF_KEYS: 1,
  parseCommand(parser, key, id) {
    parser.pushKey(key);
    parser.push(id);
  },
  transformReply: (reply) => reply,
});

const options = {
  username: user,
  password,
  socket: { host, port, ...(certificates && { tls: true, ca: certificates }) },
  scripts: { place },
};

async function storeAndSearch(client) {
  await client.sendCommand(["SET", "fleet", "truck", "POINT", "33.5", "-112.2"]);
  expect(await client.sendCommand(["GET", "fleet", "truck", "POINT"]), ["33.5", "-112.2"]);
  ok("set");
  const words = ["NEARBY", "fleet", "LIMIT", "5", "IDS", "POINT", "33.5", "-112"];
  expect(await client.sendCommand(words), [0, ["truck"]]);
  ok("nearby");
  // Commands of the same tick are written as one pipeline.
  const numbers = [...Array(100).keys()];
  const set = (number) => client.sendCommand(["SET", "many", `${number}`, "POINT", `${number % 90}`, "2"]);
  expect(await Promise.all(numbers.map(set)), Array(100).fill("OK"));
  ok("pipeline");
  const transaction = client.multi();
  transaction.addCommand(["SET", "fleet", "bus", "POINT", "1", "2"]).addCommand(["SCAN", "fleet", "COUNT"]);
  expect(await transaction.exec(), ["OK", 2]);
  ok("transaction");
  for (let time = 0; time < 2; time++) expect(await client.place("fleet", "bus"), ["1", "2"]);
  ok("script");
}

async function subscribe(client) {
  const subscribers = [client.duplicate(), client.duplicate()];
  const messages = [];
  for (const subscriber of subscribers) {
    await subscriber.connect();
    messages.push(new Promise((resolve) => subscriber.subscribe("news", resolve)));
    await subscriber.subscribe("others", () => {});
    expect(await subscriber.ping("there"), "there");
  }
  expect(await client.publish("news", "hello"), 2);
  expect(await Promise.all(messages), ["hello", "hello"]);
  ok("subscribe");
  for (const subscriber of subscribers) {
    await subscriber.unsubscribe();
    // In version 5 texts are buffers after that, with a Redis, too.
    const point = await subscriber.sendCommand(["GET", "fleet", "bus", "POINT"]);
    expect(point.map(String), ["1", "2"]);
    subscriber.destroy();
  }
  ok("reuse");
}

run(async () => {
  const client = createClient(options);
  client.on("error", () => {});
  await client.connect();
  expect(await client.ping(), "PONG");
  ok("connect");
  await storeAndSearch(client);
  await subscribe(client);
  await waitForRestart();
  expect(await client.sendCommand(["GET", "fleet", "bus", "POINT"]), ["1", "2"]);
  ok("restart");
  client.destroy();
});
