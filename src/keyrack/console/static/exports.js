// Files of the log: fetched here, so that people see how far they are. Without this the browser downloads them.

const BROKEN_OFF = "The file broke off, and was not saved. If your sign-in has ended, sign in again, and start anew";

export function listen() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-export]");
    if (!form) return;
    event.preventDefault();
    save(form);
  });
}

async function save(form) {
  const button = form.querySelector("button");
  const [box, bar, status] = ["[data-export-progress]", "progress", "[data-export-status]"].map((what) => form.querySelector(what));
  const ending = new AbortController();
  const end = () => ending.abort();
  form.closest("dialog")?.addEventListener("close", end, { once: true });
  box.hidden = false;
  button.disabled = true;
  bar.value = 0;
  status.textContent = "Reading the log";
  try {
    const answer = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`, { signal: ending.signal });
    if (!answer.ok) throw new Error(answer.status === 401 ? "Your sign-in has ended" : answer.status === 429 ? "Others are making files. Try again in a minute" : "The file could not be made");
    const { parts, lines } = await read(answer, form, bar, status);
    offer(new Blob(parts, { type: answer.headers.get("content-type") }), /filename="([^"]+)"/.exec(answer.headers.get("content-disposition"))[1]);
    bar.value = 1;
    status.textContent = lines === 1 ? "1 line is in the file" : `${lines.toLocaleString()} lines are in the file`;
  } catch (error) {
    if (!ending.signal.aborted) status.textContent = error instanceof TypeError ? BROKEN_OFF : error.message;
  }
  button.disabled = false;
}

async function read(answer, form, bar, status) {
  const { since, until } = form.dataset;
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  const parts = [];
  let lines = answer.headers.get("content-type").startsWith("text/csv") ? -1 : 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { parts, lines };
    parts.push(value);
    const text = decoder.decode(value, { stream: true });
    lines += text.split("\n").length - 1;
    // Lines come newest first, each with its time in front: so the last one tells how much of the range is behind us.
    const at = [...text.matchAll(/^(?:\{"created_at":")?(\d{4}-\d\d-\d\dT[\d:.]+Z)/gm)].at(-1)?.[1];
    if (at) bar.value = (until - Date.parse(at)) / (until - since);
    status.textContent = `${Math.max(lines, 0).toLocaleString()} lines so far`;
  }
}

function offer(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
