// @ts-check
/** Starts the page: reads the address, listens to the server, draws. */

import { render } from "./core/dom.js";
import { store } from "./core/state.js";
import { speak } from "./core/i18n.js";
import { readRoute, takeToken } from "./core/route.js";
import { keepToken, whenTokenIsNeeded } from "./core/server.js";
import { stayConnected } from "./core/live.js";
import { listenToKeys } from "./keys.js";
import { loadRequests, received } from "./actions/requests.js";
import { changed, opened, refreshed } from "./actions/open.js";
import { judgeSoon } from "./actions/verdict.js";
import { delivered } from "./actions/webhooks.js";
import { shell } from "./views/shell.js";

const token = takeToken();
if (token) keepToken(token);

/** @param {"en" | "fr"} language */
function setLanguage(language) {
  localStorage.setItem("dimedove.language", language);
  speak(language);
  store.set({ language });
}

/** @param {"auto" | "light" | "dark"} theme */
function setTheme(theme) {
  localStorage.setItem("dimedove.theme", theme);
  document.documentElement.dataset.theme = theme;
  store.set({ theme });
}

function follow() {
  const route = readRoute(location.hash);
  const before = store.get().route;
  store.set({ route });
  opened(route, before);
}

speak(store.get().language);
document.documentElement.dataset.theme = store.get().theme;
whenTokenIsNeeded(() => store.set({ dialog: "token", connection: "off" }));

const live = stayConnected({
  connected: () => {
    loadRequests();
    refreshed();
  },
  says: (connection) => store.set({ connection }),
  hears: (event, data) => {
    if (event === "request") {
      received(data);
      if (data.ended) judgeSoon(data.app_id);
    } else if (event === "delivery") delivered(data);
    else if (event === "lagged") loadRequests();
    else if (event === "state") changed(data);
  },
});

const switches = {
  language: setLanguage,
  theme: setTheme,
  reconnect: () => {
    live.again();
    opened(store.get().route, null);
  },
};

store.subscribe((state) => render(document.body, shell(state, switches)));
window.addEventListener("hashchange", follow);
listenToKeys();
follow();
