// ASSIGN ALL: full access in every category with one press.

export function offerAll(root) {
  for (const button of root.querySelectorAll("[data-assign-all][hidden]")) button.hidden = false;
}

export function listen() {
  document.addEventListener("click", (event) => {
    const matrix = event.target.closest("[data-assign-all]")?.closest("[data-matrix]");
    if (!matrix) return;
    for (const input of matrix.querySelectorAll("input[type=radio][value=write]")) input.checked = true;
    for (const input of matrix.querySelectorAll("input[name=all]")) input.checked = true;
  });
}
