/** The app id of a test. */

import { createHash } from "node:crypto";

const MAX_NAME = 80;

/** Return an app id that can be read, and that is another one for each `key`. */
export function appId(name: string, key: string): string {
  const digest = createHash("sha256").update(`${name}\n${key}`).digest("hex").slice(0, 8);
  const readable = name
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, MAX_NAME);
  return ["app", readable, digest].filter(Boolean).join("_");
}
