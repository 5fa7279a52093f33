// @ts-check
/** Puts a reply together: from the events of a stream, from a JSON answer, or from the history. */

/** @typedef {{root: string, elements: Record<string, any>}} Spec */
/** @typedef {{type: "text", text: string} | {type: "tool", name: string, args: string | null, id: string, done: boolean} | {type: "form", spec: Spec}} Part */
/** @typedef {{event: string, data: any}} ServerEvent */

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** @param {ServerEvent[]} events @returns {Part[]} */
export function partsOfEvents(events) {
  /** @type {Map<number, Part | {type: "patch", patch: any}>} */
  const items = new Map();
  for (const { event, data } of events) {
    if (typeof data !== "object" || data === null) continue;
    const at = data.output_index;
    const old = /** @type {any} */ (items.get(at));
    if (event === "response.output_text.delta") items.set(at, { type: "text", text: (old?.text ?? "") + data.delta });
    else if (event === "response.output_text.done") items.set(at, { type: "text", text: String(data.text) });
    else if (event === "response.function_call.start") items.set(at, { type: "tool", name: String(data.name), args: "", id: String(data.call_id), done: false });
    else if (event === "response.function_call_arguments.delta" && old) items.set(at, { ...old, args: old.args + data.delta });
    else if (event === "response.function_call_arguments.done" && old) items.set(at, { ...old, args: data.arguments, done: true });
    else if (event === "response.data_spec") items.set(at, { type: "patch", patch: data.data?.patch });
  }
  return joined([...items.entries()].sort(([a], [b]) => a - b).map(([, item]) => item));
}

/** @param {any[]} output @returns {Part[]} */
export function partsOfOutput(output) {
  return joined(
    output.flatMap((item) => {
      if (item.type === "message") return item.content.map((/** @type {any} */ part) => ({ type: "text", text: String(part.text) }));
      if (item.type === "function_call") return [{ type: "tool", name: item.name, args: item.arguments, id: item.call_id, done: true }];
      return [{ type: "patch", patch: item.data?.patch }];
    }),
  );
}

/** @param {any[]} parts of a ConversationItem @returns {Part[]} */
export function partsOfItem(parts) {
  return joined(
    parts.map((part) => {
      if (part.type === "text") return { type: "text", text: String(part.text) };
      if (part.type === "tool-call") return { type: "tool", name: part.toolName, args: JSON.stringify(part.input), id: part.toolCallId, done: true };
      return { type: "patch", patch: part.data?.patch };
    }),
  );
}

/** Make one form of the patches that follow each other. @param {any[]} items @returns {Part[]} */
function joined(items) {
  /** @type {Part[]} */
  const parts = [];
  for (const item of items) {
    const last = parts[parts.length - 1];
    if (item.type !== "patch") parts.push(item);
    else if (last?.type === "form") patched(last.spec, item.patch);
    else parts.push({ type: "form", spec: patched({ root: "", elements: {} }, item.patch) });
  }
  return parts;
}

/** Apply one step of RFC 6902 (add, replace, remove). @param {Spec} spec @param {any} patch @returns {Spec} */
function patched(spec, patch) {
  const path = String(patch?.path ?? "").split("/").slice(1).map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
  const last = path.pop();
  if (last === undefined || FORBIDDEN.has(last)) return spec;
  /** @type {any} */
  let place = spec;
  for (const name of path) {
    place = FORBIDDEN.has(name) ? undefined : place?.[name];
    if (typeof place !== "object" || place === null) return spec;
  }
  const value = structuredClone(patch.value);
  if (Array.isArray(place)) {
    const at = last === "-" ? place.length : Number(last);
    if (patch.op === "remove") place.splice(at, 1);
    else place.splice(at, patch.op === "replace" ? 1 : 0, value);
  } else if (patch.op === "remove") delete place[last];
  else place[last] = value;
  return spec;
}
