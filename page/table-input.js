"use strict";

const TYPING_MS = 250; // without a key, after which a table that is typed is read
const COLUMN_FIELDS = { id: "id-column", time: "time-column", label: "label-column" };
const TEXT_FIELDS = { form: "form", separator: "separator", decimal: "decimal" };

/** The table that a user pastes, types, drops or chooses as a file, and how it is read. */
class TableInput {
  /** @param {(read: ?{series: Series[], layout: Layout}) => void} changed null: nothing is read */
  constructor(changed) {
    this.changed = changed;
    this.model = null;
    this.text = "";
    this.source = ""; // name of the file; "": it was typed or pasted
    this.header = null; // the first line to which the chosen columns belong
    this.chosen = {}; // the properties of the layout that the user has chosen
    this.timer = null;
    $("table").addEventListener("input", () => this.#typed());
    $("file").addEventListener("change", () => this.#takeFile($("file").files[0]));
    $("forget").addEventListener("click", () => this.#forget());
    const panel = $("series-panel");
    panel.addEventListener("dragover", (event) => this.#dragged(event, true));
    panel.addEventListener("dragleave", (event) => {
      if (!panel.contains(event.relatedTarget)) this.#dragged(event, false);
    });
    panel.addEventListener("drop", (event) => this.#dropped(event));
    for (const [role, id] of Object.entries({ ...COLUMN_FIELDS, ...TEXT_FIELDS })) {
      $(id).addEventListener("change", () => this.#choose(role, $(id).value));
    }
    const features = $("features");
    features.addEventListener("change", () => this.#choose("values", namesIn(features.value)));
  }

  /** Reads for a model from now on. @param {?SeriesModel} model null: none */
  use(model) {
    this.model = model;
    this.chosen = {};
    for (const id of ["table", "file"]) $(id).disabled = !model;
    if (!model) return;
    $("expected").textContent = expectedInWords(model);
    $("table").placeholder = exampleFor(model);
    if (this.text) this.#read();
  }

  #typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#take($("table").value, ""), TYPING_MS);
  }

  async #takeFile(file) {
    if (!file) return;
    try {
      const text = await textOf(file);
      $("table").value = "";
      this.#take(text, file.name);
    } catch (error) {
      this.#fail(error);
    }
    $("file").value = ""; // the same file can be chosen again
  }

  #take(text, source) {
    clearTimeout(this.timer);
    const header = text.split(LINE_END, 1)[0];
    if (header !== this.header) {
      for (const role of [...Object.keys(COLUMN_FIELDS), "values"]) delete this.chosen[role];
    }
    [this.text, this.source, this.header] = [text, source, header];
    this.#read();
  }

  #forget() {
    $("table").value = "";
    this.#take("", "");
    $("table").focus();
  }

  #dragged(event, over) {
    if (!this.model) return;
    event.preventDefault(); // otherwise nothing can be dropped
    $("series-panel").classList.toggle("dragged", over);
  }

  #dropped(event) {
    this.#dragged(event, false);
    const { files } = event.dataTransfer;
    if (!this.model || event.target === $("file")) return;
    if (files.length > 1) this.#fail(new Error("Drop one file: it may hold several sequences."));
    else if (files.length) this.#takeFile(files[0]);
    else {
      $("table").value = event.dataTransfer.getData("text/plain");
      this.#take($("table").value, "");
    }
  }

  #choose(role, value) {
    if (role === "values" && !value.length) delete this.chosen.values;
    else this.chosen[role] = value;
    // The columns of one form are not those of the other.
    if (role === "form") delete this.chosen.values;
    this.#read();
  }

  #read() {
    if (!this.model) return;
    const notes = [];
    $("forget").disabled = !this.text;
    $("table-layout").hidden = !this.text;
    $("table-source").textContent = this.source;
    if (!this.text.trim()) {
      this.#tell("", []);
      this.changed(null);
      return;
    }
    try {
      const { layout: training, features } = this.model;
      const raw = csvTable(this.text, this.chosen.separator ?? "", training.separator);
      this.#offerColumns(raw.names, training);
      if (training.separator && raw.separator !== training.separator && !this.chosen.separator) {
        notes.push(`The values are separated by ${SEPARATORS[raw.separator]}.`);
      }
      const table = withHeader(raw, training, features, notes);
      const bare = table !== raw && { id: "", time: "", label: "", values: table.names, window: 0 };
      const layout = layoutOf(table, training, { ...bare, ...this.chosen }, features, notes);
      this.#showChoice(table, layout);
      const series = sequencesOf(table, layout, notes);
      this.#tell("", notes);
      this.changed({ series, layout });
    } catch (error) {
      this.#fail(error, notes);
    }
  }

  #fail(error, notes = []) {
    this.#tell(error.message, notes);
    $("table-layout").open ||= Boolean(error.message.match("How the table is read"));
    this.changed(null);
  }

  #tell(problem, notes) {
    $("table-problem").textContent = problem;
    $("table-notes").replaceChildren(...notes.map((note) => {
      const item = document.createElement("li");
      item.textContent = note;
      return item;
    }));
  }

  /** Offers the columns of a table, before it is known which of them hold what. */
  #offerColumns(names, training) {
    const offered = names.map((name) => [name, name]);
    for (const [role, id] of Object.entries(COLUMN_FIELDS)) {
      fill($(id), [["", role === "id" ? "none: one sequence" : "none"], ...offered]);
      // Nothing is chosen where the column is missing, so that “none” can be.
      $(id).value = this.chosen[role] ?? training[role];
    }
    $("features").value = (this.chosen.values ?? []).join(", ");
    $("features").placeholder = training.values.join(", ");
  }

  #showChoice(table, layout) {
    for (const [role, id] of Object.entries(COLUMN_FIELDS)) $(id).value = layout[role];
    $("form").value = layout.form;
    $("decimal").value = layout.decimal;
    $("time-column").disabled = layout.form === "wide";
    $("features").placeholder = layout.values.join(", ");
  }
}

/** Returns the names in a text, which commas separate. */
function namesIn(text) {
  return text.split(",").map((name) => name.trim()).filter(Boolean);
}

/** Returns what a table for a model must have. */
function expectedInWords({ layout, features, timeSteps, takesLengths, featureNames }) {
  const quoted = (name) => `“${name}”`;
  if (layout.form === "wide") {
    return `A row is a sequence, and its time steps are the columns ${listed(layout.values)}.` +
      (layout.id ? ` Its name is in ${quoted(layout.id)}.` : "");
  }
  const names = layout.values.length ? layout.values : featureNames;
  const values = names.length
    ? `the ${counted(features, "feature")} ${listed(names)}`
    : `${counted(features, "column")} of numbers, the features`;
  const id = layout.known && !layout.id ? "" :
    `${quoted(layout.id || "id")} (which sequence a row belongs to; not needed for a single one), `;
  const time = layout.time ? `${quoted(layout.time)} (the time), ` : "";
  const count = layout.window
    ? ` Sequences are cut into windows of ${layout.window} rows.`
    : takesLengths ? "" : ` A sequence has ${counted(timeSteps, "row")}.`;
  const and = id || time ? "and " : "";
  return `The first line names the columns: ${id}${time}${and}${values}. Each row is a time ` +
    `step.${count}`;
}

/** Returns the beginning of a table for a model. */
function exampleFor({ layout, features }) {
  const values = layout.values.length
    ? layout.values : Array.from({ length: features }, (_, i) => `feature ${i + 1}`);
  const long = layout.form === "long";
  const names = [layout.id, long ? layout.time : "", ...values].filter(Boolean);
  const shown = names.slice(0, LISTED_NAMES);
  const more = names.length > shown.length ? "…" : null;
  const separator = layout.separator || ",";
  const row = (id, time) => shown
    .map((name) => name === layout.id ? id : name === layout.time ? time : "0.0");
  return [shown, row("a", "0"), row("a", "1")]
    .map((cells) => [...cells, more].filter((each) => each !== null).join(separator)).join("\n");
}
