// Works with the clients that @hey-api/openapi-ts makes: `node hey.js http://127.0.0.1:PORT`.
import assert from "node:assert/strict";
import * as api from "./hey/api/index";
import { client } from "./hey/api/client.gen";
import { type StatusFault, controlAddFault, controlAddReply, controlDeleteFaults, controlDeleteReplies, controlUpdateApp } from "./hey/control/index";

const app = { app_id: "contract-tools-hey" };
const saying = "Bonjour, l’été 😀";

/** The answer, or the end of the program. */
async function data<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await answer;
  assert(data, JSON.stringify(error));
  return data;
}

async function send(path: { app_id: string; conversation_id: string }, content: string): Promise<api.ResponseOutputItem[]> {
  const reply = await data(api.appsApiSendMessage({ path, body: { message: { content }, stream: false } }));
  assert.equal(reply.status, "completed");
  return reply.output ?? [];
}

/** Reads a streamed reply with the events' own types. */
async function stream(path: { app_id: string; conversation_id: string }): Promise<string> {
  const body = { message: { content: `[[echo]] ${saying}` }, stream: true };
  const answer: unknown = await data(api.appsApiSendMessage({ path, body, parseAs: "text" }));
  let text = "";
  for (const line of String(answer).split("\n")) {
    if (!line.startsWith("data: ")) continue;
    const event = JSON.parse(line.slice(6)) as api.StreamEvent;
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  return text;
}

async function drive(): Promise<void> {
  assert((await data(controlUpdateApp({ path: app, body: { generative_ui: true } }))).settings.generative_ui);
  const fault: StatusFault = { kind: "status", status: 503 };
  assert.equal((await data(controlAddFault({ path: app, body: fault }))).used, 0);
  await controlDeleteFaults({ path: app });
  await data(controlAddReply({ path: app, body: { output: [{ type: "message", text: saying }] } }));
  await controlDeleteReplies({ path: app });
}

async function main(url: string): Promise<void> {
  assert.equal(client.getConfig().baseUrl, `${url}/v1`);
  client.setConfig({ auth: "sk_test_hey" });
  await drive();
  const created = await data(api.appsApiCreateConversation({ path: app, body: { external_user_id: "client/4471 é", metadata: { plan_type: "term_life" } } }));
  const path = { ...app, conversation_id: created.id };
  assert.equal((await data(api.appsApiListConversations({ path: app, query: { limit: 1 } }))).data[0]?.id, created.id);
  const [words] = await send(path, `[[echo]] ${saying}`);
  assert(words?.type === "message");
  assert.equal(words.content?.[0]?.text, saying);
  assert((await send(path, "[[tool]]")).some((item) => item.type === "function_call" && item.name));
  const form = (await send(path, "[[form]]")).flatMap((item) => (item.type === "data_spec" && item.data?.patch.op === "add" ? [item.data.patch.value] : []));
  assert.equal(typeof form[0], "string");
  assert((form[1] as api.UiElement).props);
  assert.equal(await stream(path), saying);
  assert.equal((await data(api.appsApiGetConversation({ path }))).items?.[0]?.parts?.[0]?.type, "text");
  assert.equal((await data(api.appsApiUpdateConversation({ path, body: { title: "Réclamation" } }))).title, "Réclamation");
  assert.equal((await data(api.appsApiDeleteConversation({ path }))).deleted, true);
  const { error } = await api.appsApiGetConversation({ path });
  assert.equal(error?.error.type, "not_found");
  assert.equal((await data(api.appsApiCreateCompletion({ path: app, body: { prompt: `[[echo]] ${saying}` } }))).text, saying);
  console.log("the client of hey-api works");
}

void main(process.argv[2] ?? "");
