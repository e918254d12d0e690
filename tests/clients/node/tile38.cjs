// tile38-ts, the version that the first argument names: typed commands, channels of fences; ioredis beneath.
"use strict";
const { Tile38 } = require(process.argv[2]);
const { expect, ioredisOptions, next, ok, run, waitForRestart } = require("./steps.cjs");

async function expectBus(tile38) {
  const { point } = await tile38.get("fleet", "bus").asPoint();
  expect(point, { lat: 1, lon: 2 });
}

async function storeAndSearch(tile38) {
  await tile38.set("fleet", "truck").point(33.5, -112.2).exec();
  await tile38.set("fleet", "bus").point(1, 2).exec();
  await expectBus(tile38);
  ok("set");
  const near = await tile38.nearby("fleet").limit(5).point(33.5, -112, 50000).asIds();
  expect(near.ids, ["truck"]);
  ok("nearby");
}

async function subscribe(tile38) {
  const clients = [new Tile38(ioredisOptions), new Tile38(ioredisOptions)];
  await tile38.setChan("depot").nearby("fleet").detect("enter").point(33.5, -112.2, 500).exec();
  const channels = clients.map((client) => client.channel());
  for (const channel of channels) await channel.subscribe("depot");
  const messages = channels.map((channel) => next(channel, "message"));
  await tile38.set("fleet", "van").point(33.5, -112.2).exec();
  for (const [message] of await Promise.all(messages)) expect([message.detect, message.id], ["enter", "van"]);
  ok("subscribe");
  for (const [number, channel] of channels.entries()) {
    await channel.unsubscribe();
    await channel.subscribe("others");
    await expectBus(clients[number]);
    await clients[number].quit(true);
  }
  ok("reuse");
}

run(async () => {
  const tile38 = new Tile38(ioredisOptions);
  tile38.on("error", () => {});
  await tile38.ping();
  ok("connect");
  await storeAndSearch(tile38);
  await subscribe(tile38);
  await waitForRestart();
  // A command sent before ioredis has connected again finds the new connection without OUTPUT json.
  await expectBus(tile38).catch(() => {});
  await expectBus(tile38);
  ok("restart");
  await tile38.quit(true);
});
