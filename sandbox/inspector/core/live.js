// @ts-check
/** Listens to what happens on the server; where the connection drops, says so and tries again. */

import { listen } from "./server.js";
import { readEvents } from "./sse.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

/**
 * @typedef {object} Ears
 * @property {() => void} connected called each time that events are heard again: something may have been missed
 * @property {(connection: "connecting" | "live" | "lost" | "off") => void} says
 * @property {(event: string, data: any) => void} hears
 */

/** @param {Ears} ears @returns {{again: () => void}} */
export function stayConnected(ears) {
  let wait = FIRST_WAIT;
  let abort = new AbortController();
  let tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  async function once() {
    abort = new AbortController();
    const mine = (tries += 1);
    try {
      const body = await listen(abort.signal);
      wait = FIRST_WAIT;
      ears.says("live");
      ears.connected();
      for await (const { event, data } of readEvents(body)) ears.hears(event, JSON.parse(data));
    } catch (error) {
      if (mine !== tries) return;
      const status = /** @type {any} */ (error).status;
      if (status === 401 || status === 404) return ears.says("off");
    }
    if (mine !== tries) return;
    ears.says("lost");
    timer = setTimeout(once, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  once();
  addEventListener("online", again);

  function again() {
    clearTimeout(timer);
    tries += 1;
    abort.abort();
    ears.says("connecting");
    wait = FIRST_WAIT;
    timer = setTimeout(once, 50);
  }

  return { again };
}
