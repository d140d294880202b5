// Builds dist/azure-sso-panel.js: types from docs/openapi.json, the check of types (the tests', too), the bundle, and its size and hash,
// which `--docs` writes into docs/panel.md.

import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import openapi, { astToString } from "openapi-typescript";
import { build } from "esbuild";
import { minifySync } from "rolldown/utils";
import { smallerWords } from "./words.mjs";

const MOST = 60 * 1024;
process.chdir(import.meta.dirname);

const schema = astToString(await openapi(new URL("../docs/openapi.json", import.meta.url), { defaultNonNullable: false }));
mkdirSync("src/generated", { recursive: true });
writeFileSync("src/generated/schema.d.ts", schema);
if (spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "--project", "test"], { stdio: "inherit" }).status) process.exit(1);

const smallerStyles = {
  name: "smaller-styles",
  setup(bundler) {
    bundler.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const made = await build({ entryPoints: [path], minify: true, write: false, logLevel: "warning" });
      return { contents: withSizes(made.outputFiles[0].text), loader: "text" };
    });
  },
};

/** Spaces and sizes of letters as values: nobody but the style sheet knows their names. */
function withSizes(styles) {
  const values = new Map();
  const left = styles.replace(/(--azure-sso-(?:space|size)-\d):([^;]+);/g, (_, name, value) => (values.set(name, value), ""));
  return left.replace(/var\((--azure-sso-(?:space|size)-\d)\)/g, (_, name) => values.get(name));
}

/** In minified code only templates have lines. There one space is as good as many, and none is seen beside a block. */
function withoutLines(code) {
  const block = "(?:p|div|section|ul|ol|dl|dt|dd|li|h[1-6]|table|thead|tbody|tr|td|th|form|fieldset|legend|dialog|header|nav|details|summary)";
  return code
    .replace(/\n {2,}/g, "\n")
    .replace(new RegExp(`(</${block}>)\n`, "g"), "$1")
    .replace(new RegExp(`\n(?=</?${block}[ >])`, "g"), "");
}

const options = { bundle: true, format: "esm", target: ["es2022"], minify: true, charset: "utf8", legalComments: "inline", logLevel: "warning" };

// The part that reads CSV files is a script of its own, which nobody loads before they choose a file.
rmSync("dist", { recursive: true, force: true });
const csv = await build({ ...options, entryPoints: { "azure-sso-csv": "src/csv.ts" }, outdir: "dist", entryNames: "[name].[hash]", metafile: true });
const [csvFile] = Object.keys(csv.metafile.outputs);
const laterCsv = {
  name: "later-csv",
  setup(bundler) {
    bundler.onResolve({ filter: /\/csv\.js$/ }, () => ({ path: `./${basename(csvFile)}`, external: true }));
  },
};

const bundle = await build({ ...options, entryPoints: ["src/azure-sso-panel.ts"], outdir: "dist", plugins: [smallerStyles, smallerWords, laterCsv], write: false });
// A second minifier saves a kilobyte more. Whoever bundles the package finds what is imported later only between quotation marks.
const { code, errors } = minifySync("azure-sso-panel.js", bundle.outputFiles[0].text, { module: true, compress: { target: "es2022" }, codegen: { legalComments: "eof" } });
if (errors.length) throw errors[0];
const script = Buffer.from(withoutLines(code).replace(/import\(`([^`]+)`\)/g, 'import("$1")'));
writeFileSync("dist/azure-sso-panel.js", script);

await build({ ...options, entryPoints: { "azure-sso-portal": "src/portal.ts" }, outdir: "dist" });

const zipped = gzipSync(script, { level: 9 }).length;
const hash = createHash("sha256").update(script).digest("hex").slice(0, 16);
const integrity = `sha384-${createHash("sha384").update(script).digest("base64")}`;
const report = [
  `/panel/azure-sso-panel.${hash}.js`,
  `${(zipped / 1024).toFixed(1)} KiB gzipped, ${(script.length / 1024).toFixed(0)} KiB in all`,
  `integrity="${integrity}"`,
].join("\n");
console.log(report);
if (process.argv.includes("--docs")) {
  const page = new URL("../docs/panel.md", import.meta.url);
  writeFileSync(page, readFileSync(page, "utf8").replace(/(?<=^\$ make panel\n)[^`]*(?=\n```)/m, report));
}
if (zipped > MOST) {
  console.error(`The panel may have ${MOST / 1024} KiB, gzipped.`);
  process.exit(1);
}
