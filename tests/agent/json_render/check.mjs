// Reads {"forms": [[patch, …], …]} on standard input; applies each form's patches one by one with @json-render/core and
// answers, as JSON, what its validator found wrong after each step.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.SANDBOX_NODE_MODULES, "package.json"));
const { applySpecPatch, validateSpec } = require("@json-render/core");

let input = "";
for await (const chunk of process.stdin) input += chunk;

const results = JSON.parse(input).forms.map((patches) => {
  let spec = { root: "", elements: {} };
  const steps = patches.map((patch) => {
    spec = applySpecPatch(spec, structuredClone(patch));
    return validateSpec(spec, { checkOrphans: false }).issues.map((issue) => issue.code);
  });
  return { steps, end: validateSpec(spec, { checkOrphans: true }).issues.map((issue) => issue.code), spec };
});
process.stdout.write(JSON.stringify(results));
