// ioredis, the version that the first argument names: client, pipeline, multi, command of a script, pub/sub.
"use strict";
const Redis = require(process.argv[2]);
const { expect, ioredisOptions, next, ok, run, waitForRestart } = require("./steps.cjs");

async function storeAndSearch(client) {
  await client.call("SET", "fleet", "truck", "POINT", 33.5, -112.2);
  expect(await client.call("GET", "fleet", "truck", "POINT"), ["33.5", "-112.2"]);
  ok("set");
  expect(await client.call("NEARBY", "fleet", "LIMIT", 5, "IDS", "POINT", 33.5, -112), [0, ["truck"]]);
  ok("nearby");
  const pipeline = client.pipeline();
  for (let number = 0; number < 100; number++) pipeline.call("SET", "many", number, "POINT", number % 90, 2);
  expect(await pipeline.exec(), Array(100).fill([null, "OK"]));
  ok("pipeline");
  const transaction = client.multi().call("SET", "fleet", "bus", "POINT", 1, 2).call("SCAN", "fleet", "COUNT");
  expect(await transaction.exec(), [[null, "OK"], [null, 2]]);
  ok("transaction");
  client.defineCommand("place", { numberOfKeys: 1, lua: "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')" });
  for (let time = 0; time < 2; time++) expect(await client.place("fleet", "bus"), ["1", "2"]);
  ok("script");
}

async function subscribe(client) {
  const subscribers = [client.duplicate(), client.duplicate()];
  for (const subscriber of subscribers) {
    expect(await subscriber.subscribe("news"), 1);
    // As the type of the reply depends on the version: a text, or an array in RESP2.
    expect([await subscriber.ping("there")].flat().at(-1), "there");
  }
  const messages = subscribers.map((subscriber) => next(subscriber, "message"));
  expect(await client.publish("news", "hello"), 2);
  expect(await Promise.all(messages), [["news", "hello"], ["news", "hello"]]);
  ok("subscribe");
  for (const subscriber of subscribers) {
    expect(await subscriber.unsubscribe(), 0);
    expect(await subscriber.call("GET", "fleet", "bus", "POINT"), ["1", "2"]);
    subscriber.disconnect();
  }
  ok("reuse");
}

run(async () => {
  const client = new Redis(ioredisOptions);
  // Without a listener ioredis prints each failed attempt to connect.
  client.on("error", () => {});
  expect(await client.ping(), "PONG");
  ok("connect");
  await storeAndSearch(client);
  await subscribe(client);
  await waitForRestart();
  expect(await client.call("GET", "fleet", "bus", "POINT"), ["1", "2"]);
  ok("restart");
  client.disconnect();
});
