// Times become local. Pointed at, they keep saying the exact UTC.

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function showLocal(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-local])")) {
    element.textContent = shown.format(new Date(element.dateTime));
    element.dataset.local = "";
  }
}
