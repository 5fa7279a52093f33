import { createSetup } from "dimedove-sandbox/vitest/setup";

export default createSetup({ seed: 7, coverage: true });
