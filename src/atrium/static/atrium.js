// Times become local, and what carries `data-live` is kept fresh. Without this, pages show UTC and are reloaded by hand.

const SECONDS = 3;
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

function showLocal(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = ("day" in time.dataset ? days : moments).format(new Date(time.dateTime));
  }
}

async function refresh() {
  const live = [...document.querySelectorAll("[data-live]")];
  if (document.hidden || live.some((one) => one.contains(document.activeElement))) return true;
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
  if (answer.type === "opaqueredirect" || (answer.status >= 400 && answer.status < 500)) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  showLocal(page);
  for (const old of live) {
    const fresh = page.getElementById(old.id);
    if (fresh && fresh.innerHTML !== old.innerHTML) old.replaceChildren(...fresh.childNodes);
  }
  return true;
}

async function keepFresh() {
  // Whoever was signed out or lost the right sees that at their next step: nothing is asked any more.
  if (await refresh().catch(() => true)) setTimeout(keepFresh, SECONDS * 1000);
}

showLocal(document);
if (document.querySelector("[data-live]")) setTimeout(keepFresh, SECONDS * 1000);
