"use strict";

const $ = (id) => document.getElementById(id);
const READING_MS = 3000; // a whole picture, when it is played
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let model = null;
let reading = null; // { picture, outputs }
let asking = false; // a request is under way
let again = null; // and another drawing waits: whether its stroke is finished
let timer = null;

const drawing = new Drawing($("drawing"), (finished) => read(finished));

function say(text, error = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", error);
}

/** Says, to assistive technology as well, whether a reading is still to come or being played. */
function markBusy() {
  document.querySelector("main").ariaBusy = String(asking || timer !== null);
}

async function connect() {
  const candidate = new ServedModel($("address").value);
  say(`Asking ${candidate.address} …`);
  try {
    await candidate.describe();
  } catch (error) {
    model = null;
    say(error.message, true);
    return;
  }
  model = candidate;
  $("classes").replaceChildren(...model.classes.map((name) => {
    const item = document.createElement("li");
    item.textContent = item.title = name;
    return item;
  }));
  say(`Connected: pictures of ${model.height} × ${model.width}, ${model.classes.length} classes. Draw!`);
  if (!drawing.empty) read(true);
}

/** Has the drawing read; while one request is under way only the newest drawing waits. */
async function read(finished) {
  if (!model || drawing.empty) return;
  if (asking) {
    again = again || finished;
    return;
  }
  asking = true;
  markBusy();
  const asked = model;
  const picture = drawing.picture(asked.width, asked.height, $("fit").checked);
  try {
    const base64 = picture.toDataURL("image/png").split(",")[1];
    const outputs = await asked.read(base64);
    if (asked === model && !drawing.empty) show({ picture, outputs }, finished);
  } catch (error) {
    say(error.message, true);
  }
  asking = false;
  markBusy();
  if (again !== null) {
    const next = again;
    again = null;
    read(next);
  }
}

function show(next, finished) {
  const first = !reading;
  reading = next;
  const { outputs } = reading;
  const steps = outputs.step_probabilities.length;
  if (first || Number($("step").max) !== steps) $("step").max = steps;
  fillChoices(outputs);
  for (const id of ["play", "step", "layer", "part"]) $(id).disabled = false;
  if (finished && !calm.matches) play();
  else goTo(steps);
}

function fillChoices(outputs) {
  const layers = Object.keys(outputs).filter((name) => /^state_\d+$/.test(name)).length;
  fill($("layer"), Array.from({ length: layers }, (_, i) => [`${i + 1}`, `${i + 1}`]));
  const suffix = `_${$("layer").value}`;
  const parts = Object.keys(outputs)
    .filter((name) => name.endsWith(suffix) && name !== "step_probabilities")
    .map((name) => name.slice(0, -suffix.length))
    .sort((a, b) => b.endsWith("gate") - a.endsWith("gate") || (a < b ? 1 : -1));
  fill($("part"), parts.map((part) => [part, part.replaceAll("_", " ")]));
}

/** Fills a choice, and keeps what was chosen if it is still there. */
function fill(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

function goTo(step) {
  $("step").value = step;
  draw();
}

function play() {
  stop();
  const steps = reading.outputs.step_probabilities.length;
  const begun = performance.now();
  const advance = (now) => {
    const step = Math.min(steps, Math.max(1, Math.ceil((now - begun) / READING_MS * steps)));
    goTo(step);
    timer = step < steps ? requestAnimationFrame(advance) : null;
    markBusy();
  };
  timer = requestAnimationFrame(advance);
}

function stop() {
  if (timer !== null) cancelAnimationFrame(timer);
  timer = null;
  markBusy();
}

function draw() {
  if (!reading) return;
  const { picture, outputs } = reading;
  const probabilities = outputs.step_probabilities;
  const steps = probabilities.length;
  const step = Number($("step").value);
  $("step-shown").textContent = `${step} of ${steps}`;
  drawPicture($("seen"), picture, step / steps * picture.height);
  drawMap($("probabilities"), probabilities, step, 0, SEQUENTIAL, probabilities[0].map((_, i) => i));
  drawAnswer(probabilities[step - 1]);
  drawInside(outputs, step);
}

/** Shows what the model would answer if the picture ended after the step. */
function drawAnswer(probabilities) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  $("answer").textContent = model.classes[best];
  $("confidence").textContent = `${(100 * probabilities[best]).toFixed(1)} %`;
  [...$("classes").children].forEach((item, i) => item.classList.toggle("best", i === best));
  $("bars").replaceChildren(...probabilities.map((share, i) => {
    const item = document.createElement("li");
    const [name, track, number] = ["span", "div", "span"].map((tag) => document.createElement(tag));
    name.textContent = name.title = model.classes[i];
    track.className = "track";
    const bar = document.createElement("div");
    bar.className = "bar";
    bar.style.width = `${100 * share}%`;
    track.append(bar);
    number.textContent = `${(100 * share).toFixed(1)} %`;
    item.append(name, track, number);
    return item;
  }));
}

function drawInside(outputs, step) {
  const part = $("part").value;
  const layer = $("layer").value;
  const rows = outputs[`${part}_${layer}`];
  const gate = part.endsWith("gate");
  const [low, scale] = gate ? [0, SEQUENTIAL] : [-1, DIVERGING];
  drawMap($("inside"), rows, step, low, scale, unitOrder(outputs, layer));
  drawLegend($("legend"), scale);
  $("low").textContent = low;
  $("high").textContent = "1";
  $("inside-caption").textContent = `${part.replaceAll("_", " ")} of layer ${layer}`;
}

/** Returns the units, those first that keep their state the longest, if a gate says so. */
function unitOrder(outputs, layer) {
  const rows = outputs[`update_gate_${layer}`] ?? outputs[`forget_gate_${layer}`];
  const units = outputs[`state_${layer}`][0].map((_, i) => i);
  $("inside-order").hidden = !rows;
  if (!rows) return units;
  const mean = units.map((unit) => rows.reduce((sum, row) => sum + row[unit], 0));
  // An MGU's gate says what is replaced.
  const sign = outputs[`update_gate_${layer}`] || outputs[`cell_state_${layer}`] ? 1 : -1;
  return units.sort((a, b) => sign * (mean[b] - mean[a]));
}

$("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
$("clear").addEventListener("click", () => {
  stop();
  drawing.clear();
  reading = null;
  $("answer").textContent = "–";
  $("confidence").textContent = "";
  $("step-shown").textContent = "–";
  $("bars").replaceChildren();
  for (const item of $("classes").children) item.classList.remove("best");
  for (const id of ["play", "step", "layer", "part"]) $(id).disabled = true;
  for (const id of ["seen", "probabilities", "inside"]) {
    $(id).getContext("2d").clearRect(0, 0, $(id).width, $(id).height);
  }
});
$("fit").addEventListener("change", () => read(true));
$("play").addEventListener("click", play);
$("step").addEventListener("input", () => { stop(); draw(); });
$("layer").addEventListener("change", () => { fillChoices(reading.outputs); draw(); });
$("part").addEventListener("change", draw);

const given = new URLSearchParams(location.search).get("model");
if (given) $("address").value = given;
connect();
