// Times become local, what carries `data-live` is kept fresh, and a form with `data-once` is sent once. Without this, pages show UTC and are
// reloaded by hand.

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

function busy(button, is) {
  button.disabled = is;
  if (!button.dataset.busy) return;
  button.dataset.idle ??= button.textContent;
  button.textContent = is ? button.dataset.busy : button.dataset.idle;
}

document.addEventListener("submit", ({ target, submitter }) => {
  if ("once" in target.dataset && submitter) busy(submitter, true);
});

// Whoever comes back finds the page as it was left.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) document.querySelectorAll("form[data-once] button:disabled").forEach((button) => busy(button, false));
});

// What the server would refuse is told before it is sent.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.bytesMax) return;
  const isTooLarge = [...target.files].some((file) => file.size > Number(target.dataset.bytesMax));
  target.setCustomValidity(isTooLarge ? target.dataset.tooLarge : "");
  target.reportValidity();
});
