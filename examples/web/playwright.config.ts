import { defineConfig } from "@playwright/test";
import type { DimedoveFixtures, DimedoveWorkerFixtures } from "dimedove-sandbox/playwright";

const URL = "http://localhost:5173";

export default defineConfig<DimedoveFixtures, DimedoveWorkerFixtures>({
  testDir: "tests",
  testMatch: "*.spec.ts",
  fullyParallel: true,
  use: {
    baseURL: URL,
    dimedoveProxy: "/api/dimedove",
    // The browser of your system, as Debian's /usr/bin/chromium; without it the one that Playwright installs.
    launchOptions: { executablePath: process.env.CHROMIUM },
  },
  webServer: { command: "npm run dev -- --strictPort", url: URL, reuseExistingServer: !process.env.CI },
});
