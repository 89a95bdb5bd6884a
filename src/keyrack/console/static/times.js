// Times become local. Pointed at, they keep saying the exact UTC.

const forms = {
  day: new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }),
  minute: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }),
  // Of a list that goes on for seconds, nobody asks the year.
  second: new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit" }),
};

export function showLocal(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-local])")) {
    element.textContent = forms[element.dataset.to].format(new Date(element.dateTime));
    element.dataset.local = "";
  }
}
