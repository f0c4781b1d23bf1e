"use strict";

/** The tab on which a table of numbers is read, one sequence after the other. */
class SeriesTab {
  /** @param {(text: string, error?: boolean) => void} say tells the user something */
  constructor(say) {
    this.say = say;
    this.model = null;
    this.read = null; // { series, layout }: what the table holds
    this.newest = null; // of the requests
    this.view = new SeriesView((step) => this.#goTo(step));
    this.input = new TableInput((read) => this.#take(read));
    $("sequence").addEventListener("change", () => this.#ask());
    $("previous-sequence").addEventListener("click", () => this.#pick(-1));
    $("next-sequence").addEventListener("click", () => this.#pick(1));
    $("series-step").addEventListener("input", () => this.#goTo(Number($("series-step").value)));
  }

  /** Lets a model read from now on. @param {?SeriesModel} model null: none */
  use(model) {
    this.model = model;
    this.#take(null);
    this.input.use(model);
  }

  #take(read) {
    this.read = read;
    this.newest = null;
    this.#markBusy();
    $("series").hidden = !read;
    $("sequence-problem").textContent = "";
    if (!read) return;
    const many = read.series.length > 1;
    $("picker").hidden = !many;
    fill($("sequence"), read.series.map(({ id }, i) => [String(i), id]));
    $("sequence-count").textContent = `of ${read.series.length.toLocaleString("en")}`;
    this.#ask();
  }

  #pick(by) {
    $("sequence").selectedIndex += by;
    this.#ask();
  }

  /** Has the sequence that is chosen read. */
  async #ask() {
    const attempt = this.newest = Symbol();
    const { model } = this;
    const at = $("sequence").selectedIndex;
    const series = this.read.series[at];
    $("previous-sequence").disabled = at === 0;
    $("next-sequence").disabled = at === this.read.series.length - 1;
    this.#markBusy();
    try {
      checkFit(series, model);
      const reading = await model.read(series.x);
      if (attempt !== this.newest) return;
      this.#show(series, reading);
    } catch (error) {
      if (attempt !== this.newest) return;
      $("sequence-shown").hidden = true;
      $("sequence-problem").textContent =
        `${this.read.series.length > 1 ? `Sequence “${series.id}”: ` : ""}${error.message}`;
    }
    this.newest = null;
    this.#markBusy();
  }

  #show(series, reading) {
    const { model } = this;
    const { length } = series.x;
    $("sequence-problem").textContent = "";
    $("sequence-warning").textContent = warningsAbout(series, model).join(" ");
    $("sequence-shown").hidden = false;
    $("series-step").max = length;
    this.view.show(series, reading, this.#featureNames, model.classes);
    this.#goTo(length);
  }

  /** Names of the features: those of the table, whose columns may be called otherwise. */
  get #featureNames() {
    const { layout } = this.read;
    return layout.form === "wide" ? [this.model.featureNames[0] ?? "value"] : layout.values;
  }

  #goTo(step) {
    const { times } = this.view.shown.series;
    const said = this.view.goTo(step);
    $("series-step").value = step;
    $("series-step").setAttribute("aria-valuetext", said);
    const time = times ? ` (${times[step - 1]})` : "";
    $("series-step-shown").textContent = `${step} of ${$("series-step").max}${time}`;
  }

  #markBusy() {
    $("series-panel").ariaBusy = String(this.newest !== null);
  }
}
