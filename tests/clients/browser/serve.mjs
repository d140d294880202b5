// Bundles the program that is named, and serves it on every path of http://localhost:$PORT, with the environment in `env`.
import { createServer } from "node:http";
import { build } from "esbuild";

const { ISSUER, CLIENT_ID, REDIRECT_URI, PORT } = process.env;
const bundled = await build({
  entryPoints: [process.argv[2]],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } },
});
const env = JSON.stringify({ ISSUER, CLIENT_ID, REDIRECT_URI });
const page = `<!doctype html><title>Client</title><link rel="icon" href="data:,"><body><app-root></app-root><div id="root"></div>
<script>const env = ${env}</script><script type="module" src="/bundle.js"></script>`;

createServer((request, response) => {
  const isScript = request.url === "/bundle.js";
  response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? bundled.outputFiles[0].text : page);
}).listen(PORT, "localhost");
