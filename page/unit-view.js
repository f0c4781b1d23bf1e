"use strict";

const LISTED = 8; // units in each list

/** What is seen of a model's inside along a text: all units of a layer, and one of them. */
class UnitView {
  /** @param {() => void} changed called when the user wants to see something else */
  constructor(changed) {
    this.changed = changed;
    this.model = null;
    this.picked = false; // whether the user has chosen a unit; otherwise the page does
    this.drawn = { of: [], count: 0 }; // what the map shows, and of how many tokens
    $("text-layer").addEventListener("change", () => { this.#fillParts(); changed(); });
    $("text-part").addEventListener("change", () => { this.#limitUnit(); changed(); });
    $("unit").addEventListener("input", () => { if (this.#unitFits()) this.pick(this.unit); });
    $("units-map").addEventListener("click", (event) => this.#pickRow(event));
    for (const id of ["at-work", "varied"]) {
      $(id).addEventListener("click", (event) => this.#pickListed(event));
    }
  }

  /** Looks into a model from now on. */
  use(model) {
    this.model = model;
    this.picked = false;
    const layers = Array.from({ length: model.layers }, (_, i) => `${i + 1}`);
    fill($("text-layer"), layers.map((layer) => [layer, layer]));
    $("text-layer").value = layers.at(-1);
    this.#fillParts();
  }

  /** The unit that is looked at, from 0 on. */
  get unit() {
    return Math.min(Math.max(1, Math.round($("unit").value) || 1), Number($("unit").max)) - 1;
  }

  /** The unit and what is seen of it, in words. */
  get inWords() {
    return `${this.partInWords}, unit ${this.unit + 1}`;
  }

  /** The part that is looked at, in words. */
  get partInWords() {
    return `${this.#part[0]} of layer ${$("text-layer").value}`;
  }

  /** Looks at another unit, from 0 on. */
  pick(unit) {
    this.picked = true;
    $("unit").value = unit + 1;
    this.changed();
  }

  /** Returns the values of all units at a token. */
  values(token) {
    return token.inside[this.#part[1]];
  }

  /** Chooses the unit that varies most along a text, unless the user has chosen one. */
  suggest(tokens) {
    if (this.picked) return;
    const rows = tokens.map((token) => this.values(token));
    $("unit").value = mostVaried(unitStatistics(rows), 1)[0] + 1;
  }

  /** Returns the largest value that colours tell apart: 1, or of a cell state what it reaches. */
  limit(tokens) {
    if (this.#part[0] !== "cell state") return 1;
    return Math.max(1, ...tokens.map((token) => Math.max(...this.values(token).map(Math.abs))));
  }

  /** Returns the colour of a value, [red, green, blue]. */
  colour(value, limit) {
    const share = this.#isGate ? value : (value / limit + 1) / 2;
    return colour(share, this.#scale);
  }

  /**
   * Draws the map, the legend and the lists.
   * @param {Token[]} tokens of the text
   * @param {number} total tokens that there will be
   * @param {number} at index of the token that is looked at
   */
  draw(tokens, total, at) {
    const rows = tokens.map((token) => this.values(token));
    const limit = this.limit(tokens);
    const shown = [tokens[0], this.#part[1], limit, total];
    if (shown.some((each, i) => each !== this.drawn.of[i])) this.drawn = { of: shown, count: 0 };
    const { count } = this.drawn;
    drawUnits($("units-map"), rows, count, total, (value) => this.colour(value, limit));
    this.drawn.count = rows.length;
    const units = rows[0].length;
    place($("unit-mark"), "top", this.unit, units);
    place($("token-mark"), "left", at, total);
    drawLegend($("text-legend"), this.#scale);
    $("text-low").textContent = this.#isGate ? "0" : `-${rounded(limit)}`;
    $("text-high").textContent = rounded(limit);
    $("units-caption").textContent = this.partInWords;
    const statistics = unitStatistics(rows);
    this.#list($("varied"), mostVaried(statistics, LISTED), rows[at], statistics);
    this.#list($("at-work"), mostAtWork(statistics, rows[at], LISTED), rows[at], statistics);
  }

  get #part() {
    const parts = this.model.parts(Number($("text-layer").value));
    return parts.find(([part]) => part === $("text-part").value);
  }

  get #isGate() {
    return this.#part[0].endsWith("gate");
  }

  get #scale() {
    return this.#isGate ? SEQUENTIAL : DIVERGING;
  }

  #fillParts() {
    const parts = this.model.parts(Number($("text-layer").value));
    fill($("text-part"), parts.map(([part]) => [part, part]));
    this.#limitUnit();
  }

  #limitUnit() {
    const [, , units] = this.#part;
    $("unit").max = units;
    $("unit-count").textContent = `of ${units}`;
    $("unit").value = this.unit + 1;
  }

  #unitFits() {
    return $("unit").value !== "" && $("unit").checkValidity();
  }

  #pickRow(event) {
    const box = $("units-map").getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / box.height * Number($("unit").max));
    this.pick(Math.min(Math.max(0, row), Number($("unit").max) - 1));
  }

  /** Chooses the unit whose button is clicked. */
  #pickListed(event) {
    const button = event.target.closest("button");
    if (button) this.pick(Number(button.dataset.unit));
  }

  /**
   * Lists units as buttons that choose them, with their values at the token. The buttons stay the
   * same ones while a text is written, or a click on them would be lost.
   */
  #list(list, units, row, statistics) {
    while (list.children.length > units.length) list.lastChild.remove();
    units.forEach((unit, i) => {
      const button = list.children[i]?.firstChild ?? newButton(list);
      button.dataset.unit = unit;
      button.textContent = `${unit + 1}: ${row[unit].toFixed(2)}`;
      button.title = `unit ${unit + 1}, mean along the text ${statistics[unit][0].toFixed(2)}`;
      button.ariaPressed = String(unit === this.unit);
    });
  }
}

/** Adds a button in an item of its own to a list, and returns it. */
function newButton(list) {
  const [item, button] = ["li", "button"].map((tag) => document.createElement(tag));
  button.type = "button";
  item.append(button);
  list.append(item);
  return button;
}

/** Puts a mark beside one of several equal parts of a map. */
function place(mark, side, index, count) {
  mark.style[side] = `${100 * (index + 0.5) / count}%`;
}

function rounded(number) {
  return String(Math.round(100 * number) / 100);
}
