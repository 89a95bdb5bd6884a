// The live tail: new calls come in at the top of the list, until somebody pauses it, signs out, or ten minutes are over.

const EVERY_MS = 2000;
const LENGTH_MS = 10 * 60 * 1000;
const LATE_MS = 60 * 1000;
const ROWS_MAX = 50;
let timer = 0;
let endsAt = 0;
let seen = 0;
let newest = 0;

export function offerTail(root) {
  const button = root.querySelector("[data-tail]");
  if (!button) return timer && document.querySelector("[data-tail]") === null ? stop("") : undefined;
  if (!button.hidden) return;
  button.hidden = false;
  newest = Math.max(0, ...rows().map((row) => Number(row.dataset.at)));
  if (timer) show(button, true);
}

export function listen(enrich) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tail]");
    if (!button) return;
    if (timer) return stop("Paused");
    endsAt = Date.now() + LENGTH_MS;
    seen = 0;
    timer = setInterval(() => look(enrich), EVERY_MS);
    show(button, true);
    say("Waiting for calls");
    look(enrich);
  });
}

function stop(why) {
  clearInterval(timer);
  timer = 0;
  const button = document.querySelector("[data-tail]");
  if (button) show(button, false);
  say(why);
}

async function look(enrich) {
  if (Date.now() > endsAt) return stop("Paused after 10 minutes");
  const button = document.querySelector("[data-tail]");
  if (document.hidden || !button) return;
  const address = `${button.dataset.tail}&since=${Math.max(newest - LATE_MS, 0)}`;
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (answer.status === 401) return stop("Paused: your sign-in has ended");
    if (!answer.ok) return stop("Paused: the log could not be read");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // Somebody may have paused, or asked for something else, while this was on its way.
    if (timer && button.isConnected) take([...page.querySelectorAll("tr")], enrich);
  } catch {
    say("Not reachable, trying again");
  }
}

function take(found, enrich) {
  const fresh = found.reverse().filter((row) => !document.getElementById(row.id));
  if (!fresh.length) return;
  const body = document.querySelector("#lines tbody");
  for (const row of fresh) {
    row.classList.add("fresh");
    const older = rows().find((one) => Number(one.dataset.at) <= Number(row.dataset.at));
    body.insertBefore(document.adoptNode(row), older ?? null);
    newest = Math.max(newest, Number(row.dataset.at));
  }
  for (const row of rows().slice(ROWS_MAX)) if (!row.contains(document.activeElement)) row.remove();
  document.getElementById("lines").hidden = false;
  document.querySelector("[data-no-lines]")?.remove();
  seen += fresh.length;
  say(seen === 1 ? "1 new call" : `${seen} new calls`);
  enrich(body);
}

function rows() {
  return [...document.querySelectorAll("#lines tbody tr")];
}

function show(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

function say(text) {
  const status = document.querySelector("[data-tail-status]");
  if (status) status.textContent = text;
}
