// @ts-check
/** Reads the Apps API's document: its operations, its schemas, and where each comes from. */

/** @typedef {any} Json */
/** @typedef {{id: string, method: string, path: string, tag: string, summary: string, description: string, source: Source, decided: boolean, parameters: Json[], body: Json | null, responses: Array<[string, Json]>}} Operation */
/** @typedef {"S" | "V"} Source */
/** @typedef {{base: string, operations: Operation[], schemas: Record<string, Json>, document: Json}} Contract */

/** The page that the sandbox was made from: binding before everything else. */
const FROM_THE_PAGE = new Set(["apps_api_create_conversation", "ConversationCreateRequest", "Conversation"]);
const METHODS = ["get", "post", "put", "patch", "delete"];

/** @param {Json} document @returns {Contract} */
export function readContract(document) {
  /** @type {Operation[]} */
  const operations = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      if (item[method]) operations.push(operationOf(document, path, method, item));
    }
  }
  return { base: document.servers[0].url, operations, schemas: document.components.schemas, document };
}

/** @param {Json} document @param {string} path @param {string} method @param {Json} item @returns {Operation} */
function operationOf(document, path, method, item) {
  const raw = item[method];
  const parameters = [...(item.parameters ?? []), ...(raw.parameters ?? [])].map((one) => resolved(document, one));
  const responses = Object.entries(raw.responses).map(([status, one]) => /** @type {[string, Json]} */ ([status, resolved(document, one)]));
  return {
    id: raw.operationId,
    method: method.toUpperCase(),
    path,
    tag: raw.tags?.[0] ?? "",
    summary: raw.summary ?? "",
    description: raw.description ?? "",
    source: sourceOf(raw.operationId),
    decided: Boolean(raw["x-sandbox-decision"]),
    parameters,
    body: raw.requestBody ? resolved(document, raw.requestBody) : null,
    responses,
  };
}

/** @param {string} name of an operation or a schema @returns {Source} */
export const sourceOf = (name) => (FROM_THE_PAGE.has(name) ? "S" : "V");

/** Follow a reference, or references. @param {Json} document @param {Json} node @returns {Json} */
export function resolved(document, node) {
  for (let hops = 0; node?.$ref && hops < 10; hops += 1) {
    const { $ref, ...beside } = node;
    const found = String($ref).slice(2).split("/").reduce((place, name) => place?.[name], document);
    node = { ...found, ...beside };
  }
  return node;
}

/** @param {Json} node @returns {string | null} */
export const schemaName = (node) => (typeof node?.$ref === "string" ? node.$ref.split("/").pop() : null);

/** The examples of one media type: name and value. @param {Json} document @param {Json} media @returns {Array<[string, Json]>} */
export function examplesOf(document, media) {
  return Object.entries(media?.examples ?? {}).map(([name, one]) => {
    const example = resolved(document, one);
    return [example.summary ?? name, example.value];
  });
}

/** @param {Contract} contract @param {string} id */
export const operation = (contract, id) => contract.operations.find((one) => one.id === id) ?? null;

/** An operation's name as a person says it. @param {string | null} id */
export const shortName = (id) => (id ? id.replace(/^apps_api_/, "").replaceAll("_", " ") : null);

export const OPERATIONS = [
  "apps_api_create_conversation",
  "apps_api_list_conversations",
  "apps_api_list_user_conversations",
  "apps_api_get_conversation",
  "apps_api_update_conversation",
  "apps_api_delete_conversation",
  "apps_api_send_message",
  "apps_api_create_completion",
  "apps_api_get_app_config",
  "apps_api_get_app_metrics",
];
