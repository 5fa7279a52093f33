// @ts-check
/** The ready-made faults and replies: one click each. Their names and descriptions are words `ready.<name>`. */

/** @type {Array<{group: string, name: string, fault: Record<string, any>}>} */
export const FAULTS = [
  { group: "answers", name: "unavailable", fault: { kind: "status", status: 503, headers: { "Retry-After": "2" } } },
  { group: "answers", name: "limited", fault: { kind: "status", status: 429, headers: { "Retry-After": "5" } } },
  { group: "answers", name: "crash", fault: { kind: "status", status: 500 } },
  { group: "answers", name: "lost", fault: { kind: "after", status: 500 } },
  { group: "answers", name: "html", fault: { kind: "wrong_type", status: 502 } },
  { group: "answers", name: "malformed", fault: { kind: "malformed" } },
  { group: "answers", name: "contract", fault: { kind: "contract" } },
  { group: "network", name: "slow", fault: { kind: "latency", ms: 3000 } },
  { group: "network", name: "hold", fault: { kind: "latency", until: "released" } },
  { group: "network", name: "hang", fault: { kind: "hang" } },
  { group: "network", name: "reset", fault: { kind: "reset" } },
  // A browser sends what met a reset on a used connection once more, unasked.
  { group: "network", name: "reset_twice", fault: { kind: "reset", times: 2 } },
  { group: "network", name: "truncate", fault: { kind: "truncate" } },
  { group: "network", name: "stale", fault: { kind: "stale" } },
  { group: "streams", name: "cut", fault: { kind: "stream_cut", events: 5 } },
  { group: "streams", name: "stall", fault: { kind: "stream_stall", events: 5, ms: 10000 } },
  { group: "streams", name: "hold_stream", fault: { kind: "stream_stall", events: 5, until: "released" } },
  { group: "streams", name: "fail", fault: { kind: "stream_fail", events: 5 } },
  { group: "streams", name: "garble", fault: { kind: "stream_garble", events: 5 } },
];

export const GROUPS = ["answers", "network", "streams"];

/** @type {Array<{name: string, output: any[]}>} */
export const REPLIES = [
  { name: "text", output: [{ type: "message", text: "Your appointment is confirmed for **Tuesday at 10:00**." }] },
  { name: "french", output: [{ type: "message", text: "C’est noté : votre rendez-vous est **mardi à 10 h**." }] },
  { name: "tool", output: [{ type: "function_call", name: "book_appointment", arguments: { date: "2026-03-03" } }, { type: "message", text: "You are booked for Tuesday." }] },
  { name: "client", output: [{ type: "function_call", name: "open_camera", arguments: null }] },
  { name: "form", output: [{ type: "form", title: "Your details", fields: [{ label: "Name" }, { label: "City", type: "Select", options: ["Québec", "Montréal", "Lévis"] }, { label: "Call me back", type: "Switch" }] }] },
  { name: "failure", output: [{ type: "fail", message: "The model is overloaded." }] },
];
