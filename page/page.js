"use strict";

const tabs = new Tabs($("tabs"));
const drawTab = new DrawTab(say);
const writeTab = new WriteTab(say);
const seriesTab = new SeriesTab(say);
// Each tab with the kind of model that it is for, and what other models cannot do.
const KINDS = [
  {
    tab: drawTab, name: "draw", Model: PictureModel, unfit: "no-pictures",
    lacks: "it reads no pictures",
  },
  { tab: writeTab, name: "write", Model: TextModel, unfit: "no-text", lacks: "it writes no text" },
  {
    tab: seriesTab, name: "series", Model: SeriesModel, unfit: "no-series",
    lacks: "it reads no tables of numbers",
  },
];
let newest = null; // of the attempts to connect

function say(text, error = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", error);
}

/** Connects to the model at the address, and chooses the tab by what it takes. */
async function connect() {
  const attempt = newest = Symbol();
  const address = $("address").value;
  say(`Asking ${address} …`);
  try {
    const model = await servedModel(address);
    if (attempt !== newest) return;
    say(`Connected: ${model.inWords}`);
    use(model);
  } catch (error) {
    if (attempt !== newest) return;
    use(null);
    say(error.message, true);
  }
}

/** Gives a model to the tab that it is for; null: none is connected. */
function use(model) {
  for (const { tab, name, Model, unfit, lacks } of KINDS) {
    const fits = model instanceof Model;
    tab.use(fits ? model : null);
    $(unfit).hidden = fits || !model;
    $(unfit).textContent = model ? `The connected model is ${model.kindInWords}: ${lacks}.` : "";
    if (fits) tabs.choose($(`${name}-tab`));
  }
}

$("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
// A server that sends this page names its model here.
const served = document.querySelector("meta[name=served-model]").content;
if (served) $("address").value = new URL(served, location).href;
const given = new URLSearchParams(location.search).get("model");
if (given) {
  const path = served && given.startsWith("/");
  $("address").value = path ? new URL(given, location).href : given;
}
connect();
