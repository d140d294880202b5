// The component tests: each file in a page of its own, in the Chromium of this machine. Nothing is downloaded.

import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

/** As tests/support/chromium.py finds it: `CHROMIUM`, or else a browser on the `PATH`. */
function chromium(): string {
  const names = process.env["CHROMIUM"] ? [process.env["CHROMIUM"]] : ["chromium", "chromium-browser", "google-chrome"];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = names.flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name)))).find(isProgram);
  if (found) return found;
  console.error(`No browser was found (${names.join(", ")}): install Chromium, on Debian by \`apt-get install chromium\`, or name its program in CHROMIUM.`);
  process.exit(1);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A style sheet is a text to the panel, as build.mjs makes it. */
const stylesAsText = {
  name: "styles-as-text",
  enforce: "pre" as const,
  resolveId: (id: string) => (id.endsWith("/style.css") ? "\0style.css.js" : undefined),
  load: (id: string) => (id === "\0style.css.js" ? `export default ${JSON.stringify(readFileSync(join(import.meta.dirname, "src/style.css"), "utf8"))}` : undefined),
};

const sandbox = ["--no-sandbox"]; // containers allow none, and every page is our own

export default defineConfig({
  plugins: [stylesAsText],
  server: { fs: { allow: [".."] } },
  optimizeDeps: { include: ["lit", "lit/decorators.js", "lit/directive.js", "lit/async-directive.js", "lit/directives/keyed.js", "openapi-fetch"] },
  test: {
    include: ["test/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    isolate: false, // a component is defined once a page; test/setup.ts leaves nothing behind
    fileParallelism: false,
    reporters: ["default"],
    testTimeout: 20_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromium(), args: sandbox }, contextOptions: { locale: "en-GB", timezoneId: "Europe/Berlin" } }),
      instances: [{ browser: "chromium", viewport: { width: 1280, height: 900 } }],
    },
  },
});
