// Words of a language as values alone, in the order of the English ones: their names are in the script once, not once a
// language. A name that one of them lacks, or has too much, ends the build.

import { readFileSync } from "node:fs";
import ts from "typescript";

const ENGLISH = "src/words/en.ts";

/** The plugin of the bundler. `src/words/shape.ts` gives the values their names again. */
export const smallerWords = {
  name: "smaller-words",
  setup(bundler) {
    bundler.onLoad({ filter: /\/words\/de\.ts$/ }, ({ path }) => ({ contents: valuesOf(readFileSync(path, "utf8"), readFileSync(ENGLISH, "utf8")), loader: "ts" }));
  },
};

export function valuesOf(text, english) {
  const words = returned(text);
  const values = inOrder(words, returned(english), "");
  const head = 'import { en } from "./en.js";\nimport { shaped } from "./shape.js";\n';
  return head + text.slice(0, words.getStart()) + `shaped(en(f), ${values})` + text.slice(words.getEnd());
}

/** The object that the file's function returns. */
function returned(text) {
  const file = ts.createSourceFile("words.ts", text, ts.ScriptTarget.ESNext, true);
  let found;
  const look = (node) => {
    if (ts.isReturnStatement(node) && !found) found = plain(node.expression);
    else ts.forEachChild(node, look);
  };
  look(file);
  if (!found || !ts.isObjectLiteralExpression(found)) throw new Error("A file of words returns an object.");
  return found;
}

/** Without `as Record<…>`. */
function plain(node) {
  return ts.isAsExpression(node) ? plain(node.expression) : node;
}

function inOrder(words, english, where) {
  const [mine, theirs] = [words, english].map((each) => new Map(each.properties.map((one) => [one.name.text, plain(one.initializer)])));
  const wrong = [...[...theirs.keys()].filter((name) => !mine.has(name)), ...[...mine.keys()].filter((name) => !theirs.has(name))];
  if (wrong.length) throw new Error(`Words that only one language has: ${wrong.map((name) => where + name).join(", ")}.`);
  const values = [...theirs].map(([name, value]) => {
    const own = mine.get(name);
    return ts.isObjectLiteralExpression(value) && ts.isObjectLiteralExpression(own) ? inOrder(own, value, `${where}${name}.`) : own.getText();
  });
  return `[${values.join(",\n")}]`;
}
