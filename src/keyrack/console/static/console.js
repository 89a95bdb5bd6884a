// What pages do more with JavaScript. Without it everything can be read, and every form works.
import "./vendor/htmx.js";
import { goOn } from "./arrivals.js";
import { listen as listenForCopying, offerCopying } from "./copying.js";
import { listen as listenForDialogs } from "./dialogs.js";
import { listen as listenForAssigning, offerAll } from "./matrices.js";
import { listen as listenForThemes } from "./themes.js";
import { showLocal } from "./times.js";

function enrich(root) {
  offerAll(root);
  offerCopying(root);
  showLocal(root);
}

listenForAssigning();
listenForCopying();
listenForDialogs(enrich);
listenForThemes();
enrich(document);
document.addEventListener("htmx:after:swap", () => enrich(document));
goOn();
