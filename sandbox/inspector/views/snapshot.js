// @ts-check
/** An app as a file: take it out, put one back. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { restoreSnapshot, saveSnapshot } from "../actions/snapshot.js";
import { field } from "../parts/pieces.js";
import { part } from "./entry.js";

/** It has a key: what is drawn above it later must not cost the file that was chosen. @param {string} id */
export const snapshotPart = (id) => h("div", { key: "snapshot" }, part(t("snapshot"), null, null, [h("p", { class: "quiet" }, t("snapshot.hint")), take(id), put(id)]));

/** @param {string} id */
function take(id) {
  return h(
    "form",
    {
      class: "tools",
      onsubmit: (/** @type {any} */ event) => {
        event.preventDefault();
        saveSnapshot(id, event.target.elements.secrets.checked);
      },
    },
    h("button", { type: "submit" }, t("snapshot.download")),
    h("label", { class: "choice" }, h("input", { type: "checkbox", name: "secrets" }), h("span", null, t("snapshot.secrets"))),
  );
}

/** @param {string} id */
function put(id) {
  return h(
    "form",
    {
      class: "inline-form",
      onsubmit: async (/** @type {any} */ event) => {
        event.preventDefault();
        const form = event.target;
        await restoreSnapshot(id, form.elements.file.files[0]);
        form.reset();
      },
    },
    field(t("snapshot.file"), h("input", { type: "file", name: "file", accept: ".json,application/json", required: true })),
    h("button", { type: "submit", class: "danger" }, t("snapshot.upload")),
  );
}
