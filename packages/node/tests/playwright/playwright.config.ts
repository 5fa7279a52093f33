import { defineConfig } from "@playwright/test";
import type { DimedoveFixtures, DimedoveWorkerFixtures } from "dimedove-sandbox/playwright";

export default defineConfig<DimedoveFixtures, DimedoveWorkerFixtures>({
  fullyParallel: true,
  workers: 2,
  reporter: "json",
  outputDir: "../../node_modules/.playwright",
  use: { sandboxOptions: { seed: 7 } },
});
