// Secrets that are kept: shown in their row for half a minute, or copied unseen. Each time the server is asked, which notes it.
import { present } from "./dialogs.js";

const SECONDS = 30;
const DOTS = "•••••••••••";

export function offerRevealing(root) {
  for (const button of root.querySelectorAll("[data-reveal] button[hidden]")) button.hidden = false;
}

export function listen(enrich) {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-reveal]");
    const place = form && document.getElementById(form.dataset.reveal);
    if (!place) return;
    event.preventDefault();
    const fields = new FormData(form, event.submitter);
    const copies = fields.get("what") === "copy";
    if (place.dataset.shown !== undefined) return copies ? say(place, place.textContent) : hide(place);
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const secret = page.getElementById("secret");
    const asked = page.querySelector("[data-dialog-body]");
    if (!secret && !asked) return location.reload();
    if (!secret) return present(asked, enrich);
    document.getElementById("dialog").close();
    if (!copies || !(await say(place, secret.textContent))) show(place, secret.textContent);
  });
}

function show(place, secret) {
  place.textContent = secret;
  place.dataset.shown = "";
  eye(place).setAttribute("aria-pressed", "true");
  setTimeout(() => hide(place), SECONDS * 1000);
}

function hide(place) {
  place.textContent = DOTS;
  delete place.dataset.shown;
  eye(place).setAttribute("aria-pressed", "false");
}

function eye(place) {
  return place.parentElement.querySelector("button[value=show]");
}

// Browsers keep the clipboard from pages that did not come over https: then the secret is shown instead.
async function say(place, secret) {
  try {
    await navigator.clipboard.writeText(secret);
  } catch {
    return false;
  }
  const button = place.parentElement.querySelector("button[value=copy]");
  const label = button.querySelector("span");
  label.textContent = "Copied";
  button.classList.add("done");
  setTimeout(() => {
    label.textContent = "Copy";
    button.classList.remove("done");
  }, 2000);
  return true;
}
