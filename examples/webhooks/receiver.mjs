// Verifies webhooks: what was signed with your secret, not too long ago, and not seen before. Node.js alone.

import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE = 300;
const REMEMBERED = 10_000;

export class Forged extends Error {}

export class Receiver {
  #secret;
  #now;
  #seen = new Set();

  constructor(secret, { now = () => Date.now() / 1000 } = {}) {
    this.#secret = secret;
    this.#now = now;
  }

  // Takes the raw bytes: verifies them as they came, and only then reads them. Undefined: it is known already.
  take(signature, body) {
    const found = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(signature ?? "");
    if (!found) throw new Forged("no signature");
    const expected = createHmac("sha256", this.#secret).update(`${found[1]}.`).update(body).digest();
    // In constant time: how long a comparison takes must not tell how much of it was right.
    if (!timingSafeEqual(expected, Buffer.from(found[2], "hex"))) throw new Forged("not signed with our secret");
    if (Math.abs(this.#now() - Number(found[1])) > TOLERANCE) throw new Forged("signed too long ago");
    const event = JSON.parse(body);
    if (this.#seen.has(event.id)) return undefined;
    this.#seen.add(event.id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value);
    return event;
  }
}
