// A form that is on its way is not sent again by a second press: its answer may show what is shown once.
const SECONDS = 10;

export function listen() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute("method") !== "post" || !form.querySelector("[name=form_token]")) return;
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    setTimeout(() => forget(form), SECONDS * 1000);
  });
  // Whoever comes back to a page that the browser has kept may send its forms anew.
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(forget);
  });
}

function forget(form) {
  delete form.dataset.sent;
}
