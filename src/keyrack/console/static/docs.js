// What the pages of the docs do more with JavaScript. Without it everything can be read, searched and answered.
import "./vendor/htmx.js";
import { listen as listenForCopying, offerCopying } from "./copying.js";
import { offerTabs } from "./tabs.js";
import { listen as listenForThemes } from "./themes.js";
import { listen as listenForTrying } from "./trying.js";

function offerPageCopy() {
  for (const button of document.querySelectorAll("[data-copy-page]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const label = button.querySelector("span");
      try {
        const text = await (await fetch(button.dataset.copyPage)).text();
        await navigator.clipboard.writeText(text);
        label.textContent = "Copied";
      } catch {
        // Browsers keep the clipboard from pages that did not come over https: the twin itself can be copied there.
        location.href = button.dataset.copyPage;
      }
    });
  }
}

// “/” leads to the search, as on most sites of docs; Escape closes what it found.
function listenForSearch() {
  const field = document.querySelector("[data-search]");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      field.focus();
    }
    if (event.key === "Escape") document.getElementById("typed").replaceChildren();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".docs-search")) document.getElementById("typed").replaceChildren();
  });
}

// The part that is being read is marked beside the page.
function followReading() {
  const links = new Map([...document.querySelectorAll("[data-beside] a")].map((link) => [link.hash.slice(1), link]));
  if (!links.size) return;
  const seen = new IntersectionObserver(
    (entries) => {
      const top = entries.find((entry) => entry.isIntersecting);
      if (!top) return;
      for (const [anchor, link] of links) link.toggleAttribute("data-here", anchor === top.target.id);
    },
    { rootMargin: "-15% 0px -70% 0px" },
  );
  for (const anchor of links.keys()) {
    const heading = document.getElementById(anchor);
    if (heading) seen.observe(heading);
  }
}

listenForCopying();
listenForThemes();
listenForSearch();
listenForTrying();
offerTabs(document);
offerCopying(document);
offerPageCopy();
followReading();
document.addEventListener("htmx:after:swap", () => offerCopying(document));
