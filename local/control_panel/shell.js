// How a control panel embeds the component: load it, say where the service is and which account, and give tokens.

const page = document.documentElement;
const panel = document.querySelector("azure-sso-panel");
const select = (name) => document.querySelector(`#${name}`);
let shown = "";
const kept = (name, fallback) => sessionStorage.getItem(name) ?? fallback;

function show() {
  const person = select("person").value;
  panel.account = select("person").selectedOptions[0].dataset.account;
  panel.getToken = async () => (await (await fetch(`/token/${person}`)).json()).token;
  select("portal").href = `/portal/${person}`;
  if (shown && person !== shown) panel.reload();
  shown = person;
  page.lang = select("language").value;
  page.style.colorScheme = select("theme").value;
  page.dataset.theme = select("theme").value;
  for (const name of ["person", "language", "theme"]) sessionStorage.setItem(name, select(name).value);
}

select("person").value = kept("person", "sam");
select("language").value = kept("language", "en");
select("theme").value = kept("theme", "light dark");
for (const name of ["person", "language", "theme"]) select(name).addEventListener("change", show);
await customElements.whenDefined("azure-sso-panel");
show();
