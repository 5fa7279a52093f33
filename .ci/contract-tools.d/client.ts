// Works with the types that openapi-typescript makes from the contract: `node client.js http://127.0.0.1:PORT`.
import assert from "node:assert/strict";
import type { components, operations } from "./api.js";

type Schemas = components["schemas"];
type Json<T> = T extends { content: { "application/json": infer B } } ? B : never;
type Body<O extends keyof operations> = operations[O] extends { requestBody: infer R } ? Json<R> : undefined;
// Operations of webhooks, which the client answers itself, have no 200 of the contract's.
type Ok<O extends keyof operations> = operations[O]["responses"] extends { 200: infer R } ? Json<R> : never;

// Every event of a reply's stream, told apart by `type`; the compiler holds the names against the stream's own.
type StreamEvent =
  | Schemas["ResponseCreatedEvent"]
  | Schemas["ResponseOutputTextDeltaEvent"]
  | Schemas["ResponseOutputTextDoneEvent"]
  | Schemas["ResponseFunctionCallStartEvent"]
  | Schemas["ResponseFunctionCallArgumentsDeltaEvent"]
  | Schemas["ResponseFunctionCallArgumentsDoneEvent"]
  | Schemas["ResponseOutputItemDoneEvent"]
  | Schemas["ResponseDataSpecEvent"]
  | Schemas["ResponseCompletedEvent"]
  | Schemas["ResponseFailedEvent"];
type Same<A, B> = [A, B] extends [B, A] ? true : never;
const everyEventHasItsType: Same<StreamEvent["type"], Schemas["MessageStreamEvent"]["event"]> = true;
assert(everyEventHasItsType);

const url = process.argv[2] ?? "http://127.0.0.1:8000";
const app = "contract-tools-typescript";
const saying = "Bonjour, l’été 😀";

function send(method: string, path: string, body: unknown, key = "sk_test_contract_tools"): Promise<globalThis.Response> {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  return fetch(`${url}/v1/apps/${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** Calls an operation; its request and its answer have the operation's types. */
async function call<O extends keyof operations>(_: O, method: string, path: string, body: Body<O>): Promise<Ok<O>> {
  const response = await send(method, path, body);
  assert.equal(response.status, 200, `${method} ${path}`);
  return (await response.json()) as Ok<O>;
}

async function failure(response: globalThis.Response, status: number): Promise<Schemas["Error"]["error"]> {
  assert.equal(response.status, status);
  return ((await response.json()) as Schemas["Error"]).error;
}

/** Reads server-sent events, however their bytes are cut. */
async function* events(response: globalThis.Response): AsyncGenerator<StreamEvent> {
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  assert(response.body);
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const lines = block.split("\n");
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
      const event = JSON.parse(data) as StreamEvent;
      assert(lines.includes(`event: ${event.type}`), `the event's name is its data's type: ${block}`);
      yield event;
    }
  }
  assert.equal(text, "", "nothing follows the last event");
}

/** Puts a reply together from its stream. */
async function collect(response: globalThis.Response): Promise<{ types: string[]; text: string; items: Schemas["ResponseOutputItem"][] }> {
  const collected = { types: [] as string[], text: "", items: [] as Schemas["ResponseOutputItem"][] };
  for await (const event of events(response)) {
    collected.types.push(event.type);
    switch (event.type) {
      case "response.output_text.delta":
        collected.text += event.delta;
        break;
      case "response.output_item.done":
        collected.items[event.output_index] = event.item;
        break;
      case "response.failed":
        assert.fail(event.error.message);
    }
  }
  return collected;
}

const created = await call("apps_api_create_conversation", "POST", `${app}/conversations`, {
  external_user_id: "client/4471 é",
  title: "Support inquiry",
  metadata: { plan_type: "term_life", policies: [1, 2] },
});
assert.equal(created.title, "Support inquiry");
assert.deepEqual(created.metadata, { plan_type: "term_life", policies: [1, 2] });
assert.deepEqual(Object.keys(created.generated_title ?? {}).sort(), ["en-ca", "fr-ca"]);
const path = `${app}/conversations/${created.id}`;

const reply = await call("apps_api_send_message", "POST", path, { message: { content: `[[echo]] ${saying}` }, stream: false });
const first = reply.output?.[0];
assert(first?.type === "message");
assert.equal(first.content?.map((part) => part.text).join(""), saying);

const streamed = await collect(await send("POST", path, { message: { content: `[[echo]] ${saying}` }, stream: true }));
assert.equal(streamed.text, saying);
assert.deepEqual(streamed.items, reply.output, "stream and JSON say the same");
assert.equal(streamed.types[0], "response.created");
assert.equal(streamed.types.at(-1), "response.completed");

const tools = await collect(await send("POST", path, { message: { content: "[[tool]]" }, stream: true }));
const called = tools.items.flatMap((item) => (item.type === "function_call" ? [item.name] : []));
assert(called.length > 0 && tools.types.includes("response.function_call.start"));

const prompt: Body<"apps_api_create_completion"> = { prompt: `[[echo]] ${saying}`, stream: true };
assert.equal((await collect(await send("POST", `${app}/completions`, prompt))).text, saying);

const detail = await call("apps_api_get_conversation", "GET", path, undefined);
assert.deepEqual(detail.items?.map((item) => item.role), ["user", "assistant", "user", "assistant", "user", "assistant"]);

const users = `${app}/users/${encodeURIComponent("client/4471 é")}/conversations`;
const page = await call("apps_api_list_user_conversations", "GET", `${users}?limit=1&order=asc`, undefined);
assert.deepEqual(page.data.map((row) => row.id), [created.id]);
assert.equal(page.has_more, false);

const updated = await call("apps_api_update_conversation", "PATCH", path, { title: null });
assert.equal(updated.title, null);
const deleted = await call("apps_api_delete_conversation", "DELETE", path, undefined);
assert.equal(deleted.deleted, true);

assert.equal((await failure(await send("GET", path, undefined), 404)).type, "not_found");
assert.equal((await failure(await send("GET", path, undefined, "sk_test_invalid"), 401)).type, "invalid_api_key");
assert.equal((await failure(await send("POST", path, { message: { content: 5 } }), 422)).param, "message.content");

const config = await call("apps_api_get_app_config", "GET", `${app}/config`, undefined);
assert.equal(config.app_id, app);
const metrics = await call("apps_api_get_app_metrics", "GET", `${app}/metrics`, undefined);
assert.equal(metrics.total_conversations, 1);

console.log("the TypeScript types hold");
