import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { globalSetup: "dimedove-sandbox/vitest/setup", include: ["tests/*.test.ts"] },
});
