// A suite against the sandbox, with Node's own test runner and the package for Node, which starts a server for it:
//
//     npm install --prefix packages/node && npm install --prefix examples
//     node --test examples/node/client.test.mjs

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startSandbox } from "dimedove-sandbox";

import { ApiError, Client, ConnectionLost } from "./client.mjs";

const CREATE = "apps_api_create_conversation";
const SEND = "apps_api_send_message";

const sandbox = await startSandbox();
after(() => sandbox.stop());

// Runs a test with an app of its own. Its client doesn't sleep: the app's clock moves instead.
function check(name, body) {
  test(name, { concurrency: true }, async () => {
    const app = sandbox.app();
    const slept = [];
    const sleep = async (ms) => {
      slept.push(ms);
      await app.clock.advance(ms / 1000);
    };
    try {
      await body({ app, slept, client: new Client({ ...app, sleep }) });
    } finally {
      await app.delete();
    }
  });
}

async function collect(events) {
  const all = [];
  for await (const event of events) all.push(event);
  return all;
}

check("a conversation is created, gets a message and is read again", async ({ app, client }) => {
  await app.reply("Vous êtes assurée, Maëlle. 🎉");
  const { id, title } = await client.createConversation({ user: "user_1", title: "Assurance" });
  const reply = await client.sendMessage(id, "Suis-je assurée ?");
  const { items } = await client.getConversation(id);
  assert.equal(title, "Assurance");
  assert.equal(reply.output[0].content[0].text, "Vous êtes assurée, Maëlle. 🎉");
  assert.deepEqual(items.map(({ role }) => role), ["user", "assistant"]);
});

check("a lost answer is not a second conversation", async ({ app, client }) => {
  await app.fault("after", { operation: CREATE, status: 502 });
  const { id } = await client.createConversation({ title: "Once" });
  assert.deepEqual((await client.listConversations()).map((found) => found.id), [id]);
  await app.verify({ operation: CREATE, times: 1 });
});

check("an attempt that never worked is made again", async ({ app, client }) => {
  await app.fault("status", { operation: CREATE, status: 503 });
  await client.createConversation({ title: "Again" });
  await app.verify({ operation: CREATE, body: { title: "Again" }, times: 2 });
});

check("a message whose answer is lost is not sent twice", async ({ app, client }) => {
  const { id } = await client.createConversation();
  await app.fault("after", { operation: SEND, status: 500 });
  await assert.rejects(client.sendMessage(id, "Hello"), { status: 500 });
  await app.verify({ operation: SEND, times: 1 });
});

for (const kind of ["reset", "truncate", "malformed", "wrong_type"]) {
  check(`reading survives ${kind}`, async ({ app, client }) => {
    const { id } = await client.createConversation();
    await app.fault(kind, { operation: "apps_api_get_conversation" });
    assert.equal((await client.getConversation(id)).id, id);
  });
}

check("a reused connection that was closed meanwhile does no harm", async ({ app, client }) => {
  await app.fault("stale", { times: 3 });
  for (let n = 0; n < 4; n++) assert.deepEqual(await client.listConversations(), []);
});

check("a rate limit is waited for as long as it says", async ({ app, client, slept }) => {
  await app.settings({ rate_limit: { per_minute: 1 } });
  await app.clock.freeze(1_900_000_000);
  const { id } = await client.createConversation();
  await client.sendMessage(id, "One");
  await app.clock.advance(18);
  await client.sendMessage(id, "Two");
  assert.deepEqual(slept, [42_000]);
  assert.deepEqual((await app.requests({ operation: SEND })).map(({ status }) => status), [200, 429, 200]);
});

check("a refusal is an error with the place that is wrong", async ({ client }) => {
  await assert.rejects(client.createConversation({ title: 5 }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.type, error.code], [422, "invalid_request_error", "wrong_type"]);
    return true;
  });
});

for (const framing of ["plain", "split", "crlf", "comments", "multiline"]) {
  check(`a stream says the same in the framing ${framing}`, async ({ app, client }) => {
    const text = "Zoé 👩‍👩‍👧: “C’est fait.”";
    await app.settings({ framing });
    await app.reply(text);
    const { id } = await client.createConversation();
    const events = await collect(client.streamMessage(id, "Bonjour"));
    const deltas = events.filter(({ type }) => type === "response.output_text.delta");
    assert.equal(deltas.map(({ delta }) => delta).join(""), text);
    assert.equal(events.at(-1).type, "response.completed");
  });
}

for (const kind of ["stream_cut", "stream_garble"]) {
  check(`a stream that breaks off is an error: ${kind}`, async ({ app, client }) => {
    const { id } = await client.createConversation();
    await app.fault(kind, { events: 2 });
    await assert.rejects(collect(client.streamMessage(id, "Hello")), ConnectionLost);
  });
}

check("a stream that fails says so with its last event", async ({ app, client }) => {
  const { id } = await client.createConversation();
  await app.fault("stream_fail");
  const events = await collect(client.streamMessage(id, "Hello"));
  assert.equal(events.at(-1).type, "response.failed");
});

check("what was sent can be looked at", async ({ app, client }) => {
  await client.createConversation({ user: "user_1", metadata: { first_name: "Zoé" } });
  await app.verify({ operation: CREATE, body: { external_user_id: "user_1", metadata: { first_name: "Zoé" } } });
  const [entry] = await app.requests({ operation: CREATE });
  assert.deepEqual(entry.warnings, []);
  assert.ok(!entry.headers.authorization.includes(app.apiKey));
});

check("a verify that fails shows the closest request", async ({ app, client }) => {
  await client.createConversation({ title: "Support" });
  await assert.rejects(
    app.verify({ operation: CREATE, body: { title: "Soutien" } }),
    /the closest request: POST .*\n +body\.title: expected "Soutien", got "Support"/,
  );
});
