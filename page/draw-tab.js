"use strict";

const READING_MS = 3000; // a whole picture, when it is played
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** The tab on which a picture is drawn and read, step by step. */
class DrawTab {
  /** @param {(text: string, error?: boolean) => void} say tells the user something */
  constructor(say) {
    this.say = say;
    this.model = null;
    this.reading = null; // { picture, outputs }
    this.asking = false; // a request is under way
    this.again = null; // and another drawing waits: whether its stroke is finished
    this.timer = null;
    this.drawing = new Drawing($("drawing"), (finished) => this.#read(finished));
    $("clear").addEventListener("click", () => this.#clear());
    $("fit").addEventListener("change", () => this.#read(true));
    $("play").addEventListener("click", () => this.#play());
    $("step").addEventListener("input", () => { this.#stop(); this.#draw(); });
    $("layer").addEventListener("change", () => { this.#fillChoices(); this.#draw(); });
    $("part").addEventListener("change", () => this.#draw());
  }

  /** Lets a model read from now on. @param {?PictureModel} model null: none */
  use(model) {
    this.model = model;
    if (!model) return;
    $("classes").replaceChildren(...model.classes.map((name) => {
      const item = document.createElement("li");
      item.textContent = item.title = name;
      return item;
    }));
    if (!this.drawing.empty) this.#read(true);
  }

  /** Says, to assistive technology as well, whether a reading is still to come or being played. */
  #markBusy() {
    $("draw-panel").ariaBusy = String(this.asking || this.timer !== null);
  }

  /** Has the drawing read; while one request is under way only the newest drawing waits. */
  async #read(finished) {
    if (!this.model || this.drawing.empty) return;
    if (this.asking) {
      this.again = this.again || finished;
      return;
    }
    this.asking = true;
    this.#markBusy();
    const asked = this.model;
    const picture = this.drawing.picture(asked.width, asked.height, $("fit").checked);
    try {
      const outputs = await asked.read(picture.toDataURL("image/png").split(",")[1]);
      if (asked === this.model && !this.drawing.empty) this.#show({ picture, outputs }, finished);
    } catch (error) {
      this.say(error.message, true);
    }
    this.asking = false;
    this.#markBusy();
    if (this.again !== null) {
      const next = this.again;
      this.again = null;
      this.#read(next);
    }
  }

  #show(next, finished) {
    const first = !this.reading;
    this.reading = next;
    const steps = next.outputs.step_probabilities.length;
    if (first || Number($("step").max) !== steps) $("step").max = steps;
    this.#fillChoices();
    for (const id of ["play", "step", "layer", "part"]) $(id).disabled = false;
    if (finished && !calm.matches) this.#play();
    else this.#goTo(steps);
  }

  #fillChoices() {
    const names = Object.keys(this.reading.outputs);
    fill($("layer"), Array.from({ length: layersIn(names) }, (_, i) => [`${i + 1}`, `${i + 1}`]));
    const parts = partsIn(names, $("layer").value);
    fill($("part"), parts.map((part) => [part, part.replaceAll("_", " ")]));
  }

  #goTo(step) {
    $("step").value = step;
    this.#draw();
  }

  #play() {
    this.#stop();
    const steps = this.reading.outputs.step_probabilities.length;
    const begun = performance.now();
    const advance = (now) => {
      const step = Math.min(steps, Math.max(1, Math.ceil((now - begun) / READING_MS * steps)));
      this.#goTo(step);
      this.timer = step < steps ? requestAnimationFrame(advance) : null;
      this.#markBusy();
    };
    this.timer = requestAnimationFrame(advance);
  }

  #stop() {
    if (this.timer !== null) cancelAnimationFrame(this.timer);
    this.timer = null;
    this.#markBusy();
  }

  #clear() {
    this.#stop();
    this.drawing.clear();
    this.reading = null;
    $("answer").textContent = "–";
    $("confidence").textContent = "";
    $("step-shown").textContent = "–";
    $("bars").replaceChildren();
    for (const item of $("classes").children) item.classList.remove("best");
    for (const id of ["play", "step", "layer", "part"]) $(id).disabled = true;
    for (const id of ["seen", "probabilities", "inside"]) {
      $(id).getContext("2d").clearRect(0, 0, $(id).width, $(id).height);
    }
  }

  #draw() {
    if (!this.reading) return;
    const { picture, outputs } = this.reading;
    const probabilities = outputs.step_probabilities;
    const steps = probabilities.length;
    const step = Number($("step").value);
    $("step-shown").textContent = `${step} of ${steps}`;
    drawPicture($("seen"), picture, step / steps * picture.height);
    const all = probabilities[0].map((_, i) => i);
    drawMap($("probabilities"), probabilities, step, 0, SEQUENTIAL, all);
    this.#drawAnswer(probabilities[step - 1]);
    this.#drawInside(outputs, step);
  }

  /** Shows what the model would answer if the picture ended after the step. */
  #drawAnswer(probabilities) {
    const best = probabilities.indexOf(Math.max(...probabilities));
    const names = this.model.classes;
    $("answer").textContent = names[best];
    $("confidence").textContent = percent(probabilities[best]);
    [...$("classes").children].forEach((item, i) => item.classList.toggle("best", i === best));
    showBars($("bars"), probabilities.map((share, i) => [names[i], share]));
  }

  #drawInside(outputs, step) {
    const part = $("part").value;
    const layer = $("layer").value;
    const rows = outputs[`${part}_${layer}`];
    const [low, scale] = part.endsWith("gate") ? [0, SEQUENTIAL] : [-1, DIVERGING];
    drawMap($("inside"), rows, step, low, scale, this.#unitOrder(outputs, layer));
    drawLegend($("legend"), scale);
    $("low").textContent = low;
    $("high").textContent = "1";
    $("inside-caption").textContent = `${part.replaceAll("_", " ")} of layer ${layer}`;
  }

  /** Returns the units, those first that keep their state the longest, if a gate says so. */
  #unitOrder(outputs, layer) {
    const rows = outputs[`update_gate_${layer}`] ?? outputs[`forget_gate_${layer}`];
    const units = outputs[`state_${layer}`][0].map((_, i) => i);
    $("inside-order").hidden = !rows;
    if (!rows) return units;
    const mean = units.map((unit) => rows.reduce((sum, row) => sum + row[unit], 0));
    // An MGU's gate says what is replaced.
    const sign = outputs[`update_gate_${layer}`] || outputs[`cell_state_${layer}`] ? 1 : -1;
    return units.sort((a, b) => sign * (mean[b] - mean[a]));
  }
}
