// ASSIGN ALL: full access in every category with one press. Whoever then chooses less for one gives less than everything.

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
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-matrix] input[type=radio]:not([value=write])")) return;
    event.target.closest("[data-matrix]").querySelector("input[name=all]").checked = false;
  });
}
