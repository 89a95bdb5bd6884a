// How many events of each kind are chosen, as people choose them.

export function listen() {
  document.addEventListener("change", (event) => {
    const types = event.target.closest(".kind details");
    if (types) types.querySelector("[data-chosen]").textContent = types.querySelectorAll(":checked").length;
  });
}
