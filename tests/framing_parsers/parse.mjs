// Reads [[base64 of a write, …], …] on standard input, one list a stream; answers, as JSON, the events that
// eventsource-parser finds in each: [[name, data], …].
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.SANDBOX_NODE_MODULES, "package.json"));
const { createParser } = require("eventsource-parser");

let input = "";
for await (const chunk of process.stdin) input += chunk;

const streams = JSON.parse(input).map((writes) => {
  const events = [];
  const parser = createParser({ onEvent: (event) => events.push([event.event, event.data]) });
  const decoder = new TextDecoder();
  for (const write of writes) parser.feed(decoder.decode(Buffer.from(write, "base64"), { stream: true }));
  return events;
});
process.stdout.write(JSON.stringify(streams));
