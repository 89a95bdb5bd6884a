// Links and forms with `data-dialog` show the page they lead to in a dialog: the part of it that carries `data-dialog-body`.

export function listen(enrich) {
  const dialog = document.getElementById("dialog");
  if (!dialog) return;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      open(link.href, enrich);
    }
    if (dialog.open && (event.target === dialog || event.target.closest("[data-dialog-close]"))) {
      event.preventDefault();
      dialog.close();
    }
  });
  // What is chosen in a dialog is asked for at once.
  dialog.addEventListener("change", (event) => event.target.closest("form[data-dialog]")?.requestSubmit());
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-dialog]");
    if (form) {
      event.preventDefault();
      open(`${form.action}?${new URLSearchParams(new FormData(form))}`, enrich);
    }
  });
}

async function open(address, enrich) {
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const body = page.querySelector("[data-dialog-body]");
    if (!body) throw new Error("this page has no dialog");
    present(body, enrich);
  } catch {
    location.assign(address);
  }
}

export function present(body, enrich) {
  const dialog = document.getElementById("dialog");
  dialog.replaceChildren(document.adoptNode(body));
  document.querySelectorAll("[popover].menu:popover-open").forEach((menu) => menu.hidePopover());
  dialog.setAttribute("aria-labelledby", "dialog-title");
  enrich(dialog);
  if (!dialog.open) dialog.showModal();
}
