// The receiver against a running sandbox: good, doubled, forged and late webhooks.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { startSandbox } from "dimedove-sandbox";

import { Forged, Receiver } from "./receiver.mjs";

const SECRET = "whsec_5f2d1c9ab3e87046";
// The time of the sandbox's app is what a signature bears.
const NOW = 1_900_000_000;

const sandbox = await startSandbox();
after(() => sandbox.stop());

async function answers(lab, count) {
  const receiver = new Receiver(SECRET, { now: () => NOW });
  const app = sandbox.app();
  const seen = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    let status = 200;
    try {
      seen.push(receiver.take(request.headers["dimedove-signature"], body)?.type);
    } catch (error) {
      assert.ok(error instanceof Forged);
      seen.push((status = 400));
    }
    response.writeHead(status).end();
    server.emit("taken");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const url = `http://127.0.0.1:${server.address().port}/`;
    await app.clock.freeze(NOW);
    await app.settings({ webhooks: [{ url, secret: SECRET, events: ["chat.ended"] }], webhook_lab: lab });
    const sent = app.sendWebhook("chat.ended");
    while (seen.length < count) {
      await once(server, "taken");
      if (lab === "delay") await app.clock.advance(1);
    }
    await sent;
    return seen;
  } finally {
    server.close();
    await app.delete();
  }
}

for (const [lab, expected] of [
  ["none", ["chat.ended"]],
  ["duplicate", ["chat.ended", undefined]],
  ["tamper", [400, "chat.ended"]],
  ["delay", [400, "chat.ended"]],
]) {
  test(`each webhook is taken once: ${lab}`, async () => assert.deepEqual(await answers(lab, expected.length), expected));
}

test("what is not signed is refused", () => {
  const receiver = new Receiver(SECRET, { now: () => 1 });
  for (const signature of [undefined, "", "t=1,v1=", `t=1,v1=${"0".repeat(64)}`]) {
    assert.throws(() => receiver.take(signature, Buffer.from("{}")), Forged);
  }
});
