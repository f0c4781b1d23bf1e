"use strict";

const tabs = new Tabs($("tabs"));
const drawTab = new DrawTab(say);
const writeTab = new WriteTab(say);
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
  const [pictures, text] = [PictureModel, TextModel].map((kind) => model instanceof kind);
  drawTab.use(pictures ? model : null);
  writeTab.use(text ? model : null);
  $("no-pictures").hidden = !text;
  $("no-text").hidden = !pictures;
  if (model) tabs.choose($(text ? "write-tab" : "draw-tab"));
}

$("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
const given = new URLSearchParams(location.search).get("model");
if (given) $("address").value = given;
connect();
