// @ts-check
/** The one store of what the page knows. Views read it; actions change it; a change is drawn once a frame. */

/** @typedef {import("./state.js").State} State */

/**
 * @param {State} initial
 */
export function createStore(initial) {
  let state = initial;
  /** @type {Array<(state: State) => void>} */
  const listeners = [];
  let waiting = false;

  function tell() {
    waiting = false;
    for (const listener of listeners) listener(state);
  }

  return {
    get: () => state,

    /** @param {Partial<State>} changes */
    set(changes) {
      state = { ...state, ...changes };
      if (waiting) return;
      waiting = true;
      // A page in the background draws no frames; a timer keeps it up to date at its own pace.
      if (document.hidden) setTimeout(tell, 200);
      else requestAnimationFrame(tell);
    },

    /** @param {(state: State) => void} listener */
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */
