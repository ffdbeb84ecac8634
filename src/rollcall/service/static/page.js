// Filters without a reload: asks the server for the same page with the new filter and puts its
// list of models in place of the present one. Copies calls. Without this script the form works by
// itself, and one click marks a whole call.
"use strict";

const form = document.getElementById("filter");
const WAIT_MS = 150;
let waiting = 0;
let current = null;
let shown = location.pathname + location.search;

async function update() {
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) {
    if (!value) query.delete(name);
  }
  const address = query.size ? `/?${query}` : "/";
  if (address === shown) return;
  shown = address;
  current?.abort();
  current = new AbortController();
  try {
    const reply = await fetch(address, { signal: current.signal, credentials: "same-origin" });
    if (!reply.ok) {
      location.assign(address);
      return;
    }
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const id of ["found", "models-title"]) {
      document.getElementById(id).replaceWith(page.getElementById(id));
    }
    history.replaceState(null, "", address);
  } catch (error) {
    if (error.name !== "AbortError") form.submit();
  }
}

if (form) {
  form.classList.add("live");
  for (const event of ["input", "change"]) {
    form.addEventListener(event, () => {
      clearTimeout(waiting);
      waiting = setTimeout(update, WAIT_MS);
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    update();
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      document.getElementById("q").focus();
    }
  });
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.closest("figure").querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
}
