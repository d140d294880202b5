// Parses queries with Microsoft's own parser of KQL, against the tables that they read.
//
// In: one line of JSON with `tables` (from names to columns, each from its name to its type) and `queries` (from names to
// texts). Out: one line of JSON, from the name of each query to what the parser says against it.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.min.js"); // both put themselves into the global scope
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
const { GlobalState, KustoCode, Symbols } = globalThis.Kusto.Language;

const { tables, queries } = JSON.parse(await text(process.stdin));

const schema = (columns) => `(${Object.entries(columns).map(([name, type]) => `${name}: ${type}`).join(", ")})`;
const symbols = Object.entries(tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, schema(columns), null));
const workspace = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("workspace", symbols));

const told = (diagnostic, query) => {
  const line = query.slice(0, diagnostic.Start).split("\n").length;
  return `${diagnostic.Severity} ${diagnostic.Code} in line ${line}: ${diagnostic.Message}`;
};
const complaints = (query) => {
  const found = KustoCode.ParseAndAnalyze(query, workspace).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, index) => told(found.getItem(index), query));
};

console.log(JSON.stringify(Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, complaints(query)]))));
