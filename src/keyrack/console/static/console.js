// What pages do more with JavaScript. Without it everything can be read, and every form works.
import "./vendor/htmx.js";
import { goOn } from "./arrivals.js";
import { listen as listenForCopying, offerCopying } from "./copying.js";
import { listen as listenForDialogs } from "./dialogs.js";
import { listen as listenForExports } from "./exports.js";
import { listen as listenForKinds } from "./kinds.js";
import { listen as listenForAssigning, offerAll } from "./matrices.js";
import { listen as listenForPresses } from "./presses.js";
import { listen as listenForRevealing, offerRevealing } from "./revealing.js";
import { listen as listenForTail, offerTail } from "./tails.js";
import { listen as listenForThemes } from "./themes.js";
import { showLocal } from "./times.js";

function enrich(root) {
  offerAll(root);
  offerCopying(root);
  offerRevealing(root);
  offerTail(root);
  showLocal(root);
  showCharts(root);
}

// What draws them is large, and few pages have any.
let charts;
async function showCharts(root) {
  if (!root.querySelector("[data-charts]")) return;
  if (!charts) {
    charts = import("./charts.js");
    (await charts).listen();
  }
  (await charts).draw(root);
}

listenForAssigning();
listenForCopying();
listenForDialogs(enrich);
listenForExports();
listenForKinds();
listenForRevealing(enrich);
listenForTail(enrich);
listenForThemes();
// After all that answer a form by themselves.
listenForPresses();
enrich(document);
goOn();
document.addEventListener("htmx:after:swap", () => enrich(document));
