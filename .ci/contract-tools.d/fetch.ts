// Works with the clients that openapi-generator makes (`-g typescript-fetch`): `node fetch.js http://127.0.0.1:PORT`.
import assert from "node:assert/strict";
import * as api from "./generator/api/index";
import * as control from "./generator/control/index";

const appId = "contract-tools-fetch";
const saying = "Bonjour, l’été 😀";

const configuration = new api.Configuration({ accessToken: "sk_test_fetch" });
const conversations = new api.ConversationsApi(configuration);

async function send(conversationId: string, content: string): Promise<api.ResponseOutputItem[]> {
  const sendMessageRequest = { message: { content }, stream: false };
  const reply = await conversations.appsApiSendMessage({ appId, conversationId, sendMessageRequest });
  assert.equal(reply.status, "completed");
  return reply.output ?? [];
}

/** Reads a streamed reply: the raw answer is the generator's, the events are read with its models. */
async function stream(conversationId: string): Promise<string> {
  const sendMessageRequest = { message: { content: `[[echo]] ${saying}` }, stream: true };
  const { raw } = await conversations.appsApiSendMessageRaw({ appId, conversationId, sendMessageRequest });
  const lines = (await raw.text()).split("\n").filter((line) => line.startsWith("data: "));
  const events = lines.map((line) => api.StreamEventFromJSON(JSON.parse(line.slice(6))));
  return events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
}

async function drive(): Promise<void> {
  const changed = await new control.AppsApi().controlUpdateApp({ appId, appSettingsPatch: { generativeUi: true } });
  assert(changed.settings.generativeUi);
  const faults = new control.FaultsApi();
  assert.equal((await faults.controlAddFault({ appId, fault: { kind: "status", status: 503 } })).used, 0);
  await faults.controlDeleteFaults({ appId });
  const replies = new control.RepliesApi();
  await replies.controlAddReply({ appId, scriptedReply: { output: [{ type: "message", text: saying }] } });
  await replies.controlDeleteReplies({ appId });
}

async function main(url: string): Promise<void> {
  assert.equal(configuration.basePath, `${url}/v1`);
  await drive();
  const conversationCreateRequest = { externalUserId: "client/4471 é", metadata: { plan_type: "term_life" } };
  const { id, metadata } = await conversations.appsApiCreateConversation({ appId, conversationCreateRequest });
  assert.deepEqual(metadata, { plan_type: "term_life" });
  assert.equal((await conversations.appsApiListConversations({ appId, limit: 1 })).data[0]?.id, id);
  const [words] = await send(id, `[[echo]] ${saying}`);
  assert(words?.type === "message");
  assert.equal(words.content?.[0]?.text, saying);
  assert((await send(id, "[[tool]]")).some((item) => item.type === "function_call" && item.name));
  const form = (await send(id, "[[form]]")).flatMap((item) => (item.type === "data_spec" && item.data?.patch.op === "add" ? [item.data.patch.value] : []));
  assert.equal(typeof form[0], "string");
  assert(api.UiElementFromJSON(form[1]).props);
  assert.equal(await stream(id), saying);
  assert.equal((await conversations.appsApiGetConversation({ appId, conversationId: id })).items?.[0]?.parts?.[0]?.type, "text");
  const conversationUpdateRequest = { title: "Réclamation" };
  assert.equal((await conversations.appsApiUpdateConversation({ appId, conversationId: id, conversationUpdateRequest })).title, "Réclamation");
  assert.equal((await conversations.appsApiDeleteConversation({ appId, conversationId: id })).deleted, true);
  const error: unknown = await conversations.appsApiGetConversation({ appId, conversationId: id }).catch((error) => error);
  assert(error instanceof api.ResponseError);
  assert.equal(api.ErrorResponseFromJSON(await error.response.json()).error.type, "not_found");
  const completionRequest = { prompt: `[[echo]] ${saying}` };
  assert.equal((await new api.CompletionsApi(configuration).appsApiCreateCompletion({ appId, completionRequest })).text, saying);
  console.log("the TypeScript client of openapi-generator works");
}

void main(process.argv[2] ?? "");
