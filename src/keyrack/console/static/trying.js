// Sending a call from its page of the reference, with the reader's own key; and narrowing the list of all calls.

const ANSWER_LENGTH_MAX = 200_000;

/** Offer the forms that need scripts. */
export function listen() {
  for (const form of document.querySelectorAll("[data-try]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await send(form);
    });
  }
  const explorer = document.querySelector("[data-explorer]");
  if (explorer) {
    explorer.hidden = false;
    explorer.addEventListener("input", () => narrow(explorer));
  }
}

async function send(form) {
  const button = form.querySelector("button[data-control='docs.try.send']");
  button.disabled = true;
  try {
    const answer = await fetch(addressOf(form), optionsOf(form));
    show(form, `${answer.status} ${answer.statusText} · ${answer.headers.get("x-request-id") ?? ""}`, readable(await answer.text()));
  } catch (error) {
    show(form, "Not sent", String(error.message ?? error));
  }
  button.disabled = false;
}

function addressOf(form) {
  const { root, path } = form.dataset;
  const given = new Map([...form.querySelectorAll("[data-try-path]")].map((field) => [field.name, field.value.trim()]));
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(given.get(name) ?? ""));
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("[data-try-query]")) if (field.value !== "") query.set(field.name, field.value);
  return `${root}${filled}${query.size ? `?${query}` : ""}`;
}

function optionsOf(form) {
  const headers = {};
  const key = form.querySelector("[data-try-key]")?.value.trim();
  if (key) headers.Authorization = `Bearer ${key}`;
  const body = form.querySelector("[data-try-body]")?.value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  // No cookies: the key alone says who is calling. No cache: an answer may hold a secret.
  return { method: form.dataset.method, headers, body, credentials: "omit", cache: "no-store", redirect: "error" };
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, ANSWER_LENGTH_MAX);
  } catch {
    return text.slice(0, ANSWER_LENGTH_MAX);
  }
}

function show(form, status, text) {
  const box = form.querySelector("[data-try-answer]");
  box.hidden = false;
  box.querySelector("[data-try-status]").textContent = status;
  box.querySelector("code").textContent = text;
}

function narrow(explorer) {
  const words = explorer.querySelector("[data-explorer-words]").value.toLowerCase().split(/\s+/).filter(Boolean);
  const tag = explorer.querySelector("[data-explorer-tag]").value;
  const permission = explorer.querySelector("[data-explorer-permission]").value;
  let shown = 0;
  for (const one of document.querySelectorAll("[data-endpoint]")) {
    const text = one.textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word)) && (!tag || one.dataset.tag === tag) && (!permission || one.dataset.permission === permission);
    one.hidden = !fits;
    shown += fits;
  }
  for (const section of document.querySelectorAll("[data-endpoints]")) section.hidden = !section.querySelector("[data-endpoint]:not([hidden])");
  const count = document.querySelector("[data-explorer-count]");
  count.hidden = false;
  count.textContent = shown === 1 ? "1 endpoint" : `${shown} endpoints`;
}
