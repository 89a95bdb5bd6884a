// A page that only stands between two others goes on by itself.

export function goOn() {
  document.querySelector("form[data-submits]")?.requestSubmit();
}
