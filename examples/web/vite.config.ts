import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  // No `VITE_` before these names: they stay in this process, and out of the page.
  const env = loadEnv(mode, process.cwd(), "DIMEDOVE_");
  const base = new URL(env.DIMEDOVE_BASE_URL ?? "http://127.0.0.1:8010/v1");
  const app = env.DIMEDOVE_APP_ID ?? "app_web";
  const key = env.DIMEDOVE_API_KEY ?? "sk_test_web";
  return {
    plugins: [react()],
    server: {
      proxy: {
        "/api/dimedove": {
          target: base.origin,
          changeOrigin: true,
          rewrite: (path) => path.replace("/api/dimedove", `${base.pathname}/apps/${app}`),
          headers: { authorization: `Bearer ${key}` },
          // The API is called by a backend, and this is its place: what only a page sends stays here.
          configure: (proxy) => {
            proxy.on("proxyReq", (request) => {
              for (const name of ["origin", "referer", "cookie", "sec-fetch-site"]) request.removeHeader(name);
            });
          },
        },
      },
    },
  };
});
