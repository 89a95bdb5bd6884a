// The switch between light and dark takes effect at once, and is remembered by the same form that works without this.

export function listen() {
  for (const form of document.querySelectorAll("[data-theme-form]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = event.submitter;
      const fields = new URLSearchParams(new FormData(form, chosen));
      fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
      if (chosen.value === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = chosen.value;
      for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === chosen));
    });
  }
}
