// Blocks of code that say the same in several languages stand behind tabs; without scripts they stand below each other.

const CHOSEN = "docs-language";

/** Put neighbouring blocks that name a tab behind tabs. */
export function offerTabs(root) {
  for (const first of root.querySelectorAll(".code[data-tab]")) {
    if (first.previousElementSibling?.matches(".code[data-tab]")) continue;
    const blocks = [first];
    while (blocks.at(-1).nextElementSibling?.matches(".code[data-tab]")) blocks.push(blocks.at(-1).nextElementSibling);
    if (blocks.length > 1) first.before(tabsOf(blocks));
  }
}

function tabsOf(blocks) {
  const list = document.createElement("div");
  list.className = "code-tabs";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Language");
  const tabs = blocks.map((block) => tabOf(block));
  list.append(...tabs);
  const choose = (chosen, focus) => {
    tabs.forEach((tab, place) => {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      blocks[place].hidden = tab !== chosen;
    });
    if (focus) chosen.focus();
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab) return;
    choose(tab, false);
    keep(tab.textContent);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) choose(tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length], true);
  });
  choose(tabs.find((tab) => tab.textContent === kept()) ?? tabs[0], false);
  return list;
}

function tabOf(block) {
  const tab = document.createElement("button");
  const code = block.querySelector("code");
  tab.type = "button";
  tab.textContent = block.dataset.tab;
  tab.dataset.control = "docs.language";
  block.id = `${code.id}-block`;
  tab.id = `${code.id}-tab`;
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", block.id);
  block.setAttribute("role", "tabpanel");
  block.setAttribute("aria-labelledby", tab.id);
  return tab;
}

// Browsers may keep a page from storing anything: then the first language is shown each time.
function kept() {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}

function keep(language) {
  try {
    localStorage.setItem(CHOSEN, language);
  } catch {
    return;
  }
}
