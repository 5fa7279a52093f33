// Works with the types that openapi-typescript makes from the contract, and with openapi-fetch, which reads them:
// `node client.js http://127.0.0.1:PORT`.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";
import type { components as controlComponents, paths as controlPaths } from "./control.js";

type Schemas = components["schemas"];
type Same<A, B> = [A, B] extends [B, A] ? true : never;
// The names of a stream's events are the types of their data.
const everyEventHasItsType: Same<Schemas["StreamEvent"]["type"], Schemas["MessageServerSentEvent"]["event"]> = true;
assert(everyEventHasItsType);

const url = process.argv[2] ?? "";
const saying = "Bonjour, l’été 😀";
const app = { app_id: "contract-tools-typescript" };
const headers = { Authorization: "Bearer sk_test_contract_tools" };
const api = createClient<paths>({ baseUrl: `${url}/v1`, headers });
const control = createClient<controlPaths>({ baseUrl: `${url}/_sandbox` });

const CONVERSATIONS = "/apps/{app_id}/conversations";
const ONE = "/apps/{app_id}/conversations/{conversation_id}";

/** The answer, or the end of the program. */
async function data<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await answer;
  assert(data !== undefined && data !== null, JSON.stringify(error));
  return data;
}

/** Reads server-sent events, however their bytes are cut. */
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<Schemas["StreamEvent"]> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const [name, line] = block.split("\n");
      const event = JSON.parse(line?.slice("data: ".length) ?? "") as Schemas["StreamEvent"];
      assert.equal(name, `event: ${event.type}`);
      yield event;
    }
  }
  assert.equal(text, "", "nothing follows the last event");
}

/** Puts a reply together from its stream. */
async function collect(body: ReadableStream<Uint8Array> | null): Promise<{ types: string[]; text: string; items: Schemas["ResponseOutputItem"][] }> {
  assert(body);
  const collected = { types: [] as string[], text: "", items: [] as Schemas["ResponseOutputItem"][] };
  for await (const event of events(body)) {
    collected.types.push(event.type);
    if (event.type === "response.output_text.delta") collected.text += event.delta;
    if (event.type === "response.output_item.done") collected.items[event.output_index] = event.item;
    if (event.type === "response.failed") assert.fail(event.error.message);
  }
  return collected;
}

const fault: controlComponents["schemas"]["LatencyFault"] = { kind: "latency", ms: 1 };
assert.equal((await data(control.POST("/apps/{app_id}/faults", { params: { path: app }, body: fault }))).kind, "latency");
const settings = await data(control.PATCH("/apps/{app_id}", { params: { path: app }, body: { generative_ui: true } }));
assert.equal(settings.settings.generative_ui, true);

const created = await data(
  api.POST(CONVERSATIONS, { params: { path: app }, body: { external_user_id: "client/4471 é", title: "Support inquiry", metadata: { policies: [1, 2] } } }),
);
assert.deepEqual(created.metadata, { policies: [1, 2] });
assert.deepEqual(Object.keys(created.generated_title ?? {}).sort(), ["en-ca", "fr-ca"]);
const path = { ...app, conversation_id: created.id };

async function send(content: string): Promise<Schemas["ResponseOutputItem"][]> {
  const reply = await data(api.POST(ONE, { params: { path }, body: { message: { content }, stream: false } }));
  assert(typeof reply === "object"); // a stream is a text
  return reply.output ?? [];
}

async function stream(content: string) {
  const answer = await data(api.POST(ONE, { params: { path }, body: { message: { content }, stream: true }, parseAs: "stream" }));
  return collect(answer);
}

const said = await send(`[[echo]] ${saying}`);
assert(said[0]?.type === "message");
assert.equal(said[0].content?.[0]?.text, saying);
const streamed = await stream(`[[echo]] ${saying}`);
assert.equal(streamed.text, saying);
assert.deepEqual(streamed.items, said, "stream and JSON say the same");
assert.deepEqual([streamed.types[0], streamed.types.at(-1)], ["response.created", "response.completed"]);
assert((await stream("[[tool]]")).items.some((item) => item.type === "function_call" && item.name));
const form = (await send("[[form]]")).flatMap((item) => (item.type === "data_spec" && item.data?.patch.op === "add" ? [item.data.patch.value] : []));
assert.equal(typeof form[0], "string");
assert((form[1] as Schemas["UiElement"]).props);

const detail = await data(api.GET(ONE, { params: { path } }));
assert.deepEqual(detail.items?.slice(0, 2).map((item) => item.role), ["user", "assistant"]);
const user = { ...app, external_user_id: "client/4471 é" };
const page = await data(api.GET("/apps/{app_id}/users/{external_user_id}/conversations", { params: { path: user, query: { limit: 1, order: "asc" } } }));
assert.deepEqual([page.data.map((row) => row.id), page.has_more], [[created.id], false]);
assert.equal((await data(api.PATCH(ONE, { params: { path }, body: { title: null } }))).title, null);
assert.equal((await data(api.DELETE(ONE, { params: { path } }))).deleted, true);

const gone = await api.GET(ONE, { params: { path } });
assert.deepEqual([gone.response.status, gone.error?.error.type], [404, "not_found"]);
const stranger = await api.GET("/apps/{app_id}/config", { params: { path: app }, headers: { Authorization: "Bearer sk_test_invalid" } });
assert.equal(stranger.error?.error.type, "invalid_api_key");
assert.equal((await data(api.GET("/apps/{app_id}/metrics", { params: { path: app } }))).total_conversations, 1);
console.log("the TypeScript types hold, and openapi-fetch works with them");
