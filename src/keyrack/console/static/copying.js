// Buttons that copy what stands in another element: `data-copy` names it.

export function offerCopying(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

export function listen() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await copy(source);
    say(button, "Copied");
  });
}

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Browsers keep the clipboard from pages that did not come over https: there is what people select.
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
}

function say(button, text) {
  const label = button.querySelector("span");
  const before = label.textContent;
  if (before === text) return;
  label.textContent = text;
  button.classList.add("done");
  setTimeout(() => {
    label.textContent = before;
    button.classList.remove("done");
  }, 2000);
}
