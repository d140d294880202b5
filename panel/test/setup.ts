// After each test the page is as it was before: no component, no address, no service.

import { afterEach } from "vitest";

const real = globalThis.fetch;

afterEach(() => {
  document.body.replaceChildren();
  document.documentElement.lang = "en";
  history.replaceState(null, "", location.pathname + location.search);
  globalThis.fetch = real;
});
