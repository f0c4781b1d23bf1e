"use strict";

const MOST_STRIPS = 12; // features that are drawn as lines; more are drawn as a map
const MOST_BARS = 12;
const NO_VALUE = [128, 128, 128];

/** What is seen of a series and of how a model reads it; one time step of it is looked at. */
class SeriesView {
  /** @param {(step: number) => void} picked called with the time step that is clicked, from 1 on */
  constructor(picked) {
    this.picked = picked;
    this.shown = null; // { series, reading, names, classes }
    this.lines = []; // CSS class of the line of each class
    for (const id of ["series-layer", "series-part"]) {
      $(id).addEventListener("change", () => this.#drawInside());
    }
    $("plots").addEventListener("pointerdown", (event) => this.#pick(event));
    $("plots").addEventListener("pointermove", (event) => {
      if (event.buttons) this.#pick(event);
    });
  }

  /**
   * Draws a series.
   * @param {Series} series
   * @param {Reading} reading
   * @param {string[]} names of the features
   * @param {string[]} classes their names
   */
  show(series, reading, names, classes) {
    this.shown = { series, reading, names, classes };
    this.#drawFeatures(series.x, names);
    $("series-words").textContent = seriesInWords(series.x, names);
    const { steps } = reading;
    this.lines = steps ? lineClasses(steps) : [];
    $("series-answer-title").textContent =
      steps ? "It reads, after the step shown" : "It reads";
    for (const id of ["chances-part", "stretches"]) $(id).hidden = !steps;
    $("no-steps").hidden = Boolean(steps);
    if (steps) {
      drawChances($("chances"), steps, this.lines);
      $("stretches").textContent = stretchesInWords(steps, classes);
    }
    this.#drawInside();
  }

  /** Marks a time step, from 1 on, and shows what is known of it. */
  goTo(step) {
    const { series, reading, names } = this.shown;
    const { x } = series;
    for (const mark of $("plots").querySelectorAll(".at-mark")) {
      place(mark, "left", step - 1, x.length);
    }
    if (names.length <= MOST_STRIPS) {
      [...$("strips").children].forEach((strip, i) => {
        strip.querySelector(".strip-value").textContent = short(x[step - 1][i]);
      });
    }
    this.#drawAnswer(step);
    return this.inWords(step);
  }

  /** Returns what is known of a time step, for those who do not see it. */
  inWords(step) {
    const { series, reading, names, classes } = this.shown;
    const values = names.slice(0, MOST_STRIPS)
      .map((name, i) => `${name} ${short(series.x[step - 1][i])}`);
    const shares = reading.steps?.[step - 1];
    const best = shares && shares.indexOf(Math.max(...shares));
    const said = shares ? `; ${classes[best]} ${percent(shares[best])}` : "";
    return `step ${step} of ${series.x.length}: ${values.join(", ")}${said}`;
  }

  #drawFeatures(x, names) {
    const asLines = names.length <= MOST_STRIPS;
    $("strips").hidden = !asLines;
    $("features-part").hidden = asLines;
    if (asLines) $("strips").replaceChildren(...names.map((name, i) => strip(name, x, i)));
    else drawFeatureMap($("feature-map"), x);
    $("features-count").textContent = names.length;
  }

  /** Shows what the model would answer if the series ended after the step, as far as it tells. */
  #drawAnswer(step) {
    const { series, reading, classes } = this.shown;
    const { answer, steps } = reading;
    const shares = steps ? steps[step - 1] : answer.probabilities;
    const best = shares.indexOf(Math.max(...shares));
    $("series-answer").textContent = steps ? classes[best] : answer.name;
    $("series-confidence").textContent = percent(steps ? shares[best] : answer.share);
    const order = shares.map((_, i) => i);
    if (order.length > MOST_BARS) order.sort((a, b) => shares[b] - shares[a] || a - b);
    const kept = order.slice(0, MOST_BARS);
    showBars(
      $("series-bars"), kept.map((i) => [classes[i], shares[i]]), kept.indexOf(best),
      kept.map((i) => this.lines[i]));
    const whole = answer && `The whole series: ${answer.name} (${percent(answer.share)}).`;
    const label = series.labels?.[step - 1];
    const own = label && `In the table: ${label}.`;
    $("series-whole").textContent = [whole, own].filter(Boolean).join(" ");
  }

  #drawInside() {
    const { inside } = this.shown.reading;
    const names = Object.keys(inside);
    $("inside-series").hidden = !names.length;
    if (!names.length) return;
    const layers = Array.from({ length: layersIn(names) }, (_, i) => [`${i + 1}`, `${i + 1}`]);
    fill($("series-layer"), layers);
    const layer = $("series-layer").value;
    const parts = partsIn(names, layer);
    fill($("series-part"), parts.map((part) => [part, part.replaceAll("_", " ")]));
    const part = $("series-part").value;
    const rows = inside[`${part}_${layer}`];
    const gate = part.endsWith("gate");
    const limit = part === "cell_state" ? Math.max(1, ...extremes(rows.flat()).map(Math.abs)) : 1;
    const scale = gate ? SEQUENTIAL : DIVERGING;
    const share = (value) => gate ? value : (value / limit + 1) / 2;
    drawUnits($("series-units"), rows, 0, rows.length, (value) => colour(share(value), scale));
    drawLegend($("series-legend"), scale);
    $("series-low").textContent = gate ? "0" : `-${rounded(limit)}`;
    $("series-high").textContent = rounded(limit);
    $("units-words").textContent = unitsInWords(part.replaceAll("_", " "), layer, rows);
  }

  #pick(event) {
    const plot = event.target.closest(".plot");
    if (!plot || event.button > 0) return;
    const box = plot.getBoundingClientRect();
    const { length } = this.shown.series.x;
    const at = Math.floor((event.clientX - box.left) / box.width * length);
    this.picked(Math.min(Math.max(0, at), length - 1) + 1);
  }
}

/** Returns the plot of a feature, between its own extremes. */
function strip(name, x, feature) {
  const element = $("strip-template").content.firstElementChild.cloneNode(true);
  const values = x.map((row) => row[feature]);
  const [low, high] = extremes(values);
  const find = (selector) => element.querySelector(selector);
  find(".strip-name").textContent = find(".strip-name").title = name;
  find(".strip-range").textContent = low <= high ? `${short(low)} to ${short(high)}` : "no values";
  drawLines(find("svg"), x.length, [{ path: linePath(values, low, high), className: "line" }]);
  return element;
}

/** Draws many features: a row a feature, from its least value to its greatest; a column a step. */
function drawFeatureMap(canvas, x) {
  const ranges = x[0].map((_, i) => extremes(x.map((row) => row[i])));
  const shares = x.map((row) => row.map((value, i) => {
    const [low, high] = ranges[i];
    return high > low ? (value - low) / (high - low) : value - value + 0.5; // NaN stays
  }));
  drawUnits(canvas, shares, 0, x.length, (share) =>
    Number.isNaN(share) ? NO_VALUE : colour(share, SEQUENTIAL));
}
