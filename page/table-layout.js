"use strict";

// The names, in small letters, by which a column is found where no training table tells it.
const KNOWN_NAMES = {
  id: [
    "id", "sequence", "sequence_id", "seq_id", "series", "series_id", "run", "run_id", "recording",
    "recording_id", "example", "example_id",
  ],
  time: ["time", "t", "timestamp", "datetime", "date", "step", "time_step", "timestep"],
  label: ["label", "class", "target", "y"],
};
const LOOKED_AT = 200; // rows that tell whether a column holds numbers
const LISTED_NAMES = 12;

/**
 * The columns of a table of sequences, as the manifest of an export has them.
 * @typedef {Object} Layout
 * @property {boolean} known whether they are those of the table that the model was trained on
 * @property {string} form long: a row is a time step; wide: a row is a sequence
 * @property {string} id column that tells which sequence a row belongs to; "": there is none
 * @property {string} time column by which the rows of a sequence are sorted; "": there is none
 * @property {string} label column with the class; "": there is none
 * @property {string[]} values columns with the features (long) or with the time steps (wide)
 * @property {string} separator between two values; "": any
 * @property {string} decimal the decimal mark
 * @property {number} window rows of a window that a sequence is cut into; 0: it is not cut
 * @property {number} stride rows between the beginnings of two windows
 */

/** Returns the layout of the table that a model was trained on, as far as `spec` tells it. */
function trainingLayout(spec) {
  const layout = {
    form: "long", id: "", time: "", label: "", values: spec?.feature_names ?? [], separator: "",
    decimal: ".", window: 0, stride: 0,
  };
  return { ...layout, ...spec?.table, known: Boolean(spec?.table) };
}

/**
 * Returns which column of a table holds what. Lines about what was guessed are added to `notes`.
 * @param {Table} table
 * @param {Layout} training of the model
 * @param {Object} chosen the properties of a layout that the user has chosen
 * @param {number} features that the model reads at each time step
 * @param {string[]} notes
 * @returns {Layout}
 */
function layoutOf(table, training, chosen, features, notes) {
  const layout = { ...training, ...chosen };
  // Another form than that of the training table has other columns.
  if (layout.form !== training.form && !chosen.values) layout.values = [];
  checkColumns(table, [chosen.id, chosen.time, ...layout.values].filter(Boolean));
  for (const role of ["id", "time", "label"]) {
    if (!(role in chosen)) layout[role] = columnOf(role, table, training, layout, notes);
  }
  if (layout.form === "wide") layout.time = "";
  if (!layout.values.length) layout.values = numberColumns(table, layout);
  checkCount(layout, training, features);
  const { id, time, label, group, split, values } = layout;
  const read = new Set([id, time, label, group, split, ...values]);
  const others = table.names.filter((name) => !read.has(name));
  if (others.length) notes.push(`Columns that are not read: ${listed(others)}.`);
  return layout;
}

/**
 * Returns a table without a header as one that has it, if all that it holds is the features.
 * @param {Table} table
 * @param {Layout} training
 * @param {number} features that the model reads at each time step
 * @param {string[]} notes gets a line if there is no header
 * @returns {Table}
 */
function withHeader(table, training, features, notes) {
  const { names } = table;
  const named = training.values.length && training.values.every((name) => names.includes(name));
  const bare = names.length === features && names.every(isNumberText);
  if (!bare || named || training.form !== "long") return table;
  notes.push(
    "The first line holds numbers and no names: all rows are read as one sequence, and the columns " +
    "as the features in the order of the model.");
  const known = training.values.length === features;
  return {
    ...table,
    names: known ? training.values : names.map((_, i) => `feature ${i + 1}`),
    rows: [{ line: 1, cells: names }, ...table.rows],
  };
}

function columnOf(role, table, training, layout, notes) {
  const name = training[role];
  if (training.known && (!name || table.names.includes(name))) return name;
  if (training.known) {
    if (role === "time" && layout.form === "long") {
      throw new Error(
        `There is no column “${name}”, by which the rows were sorted in training. The columns are: ` +
        `${listed(table.names)}. Choose one, or none, under “How the table is read”.`);
    }
    if (role === "id" && layout.form === "long") {
      notes.push(`There is no column “${name}”: all rows are read as one sequence.`);
    }
    return "";
  }
  const likely = table.names.filter(
    (each) => KNOWN_NAMES[role].includes(each.toLowerCase()) && !layout.values.includes(each));
  if (likely.length !== 1 || (role === "time" && layout.form === "wide")) return "";
  const meaning = { id: "which sequence a row belongs to", time: "the time", label: "the class" };
  notes.push(`By its name, the column “${likely[0]}” is taken for ${meaning[role]}.`);
  return likely[0];
}

/** Returns the names of columns of numbers that have no other meaning. */
function numberColumns(table, layout) {
  const sample = table.rows.slice(0, LOOKED_AT);
  return table.names.filter((name, i) => {
    if (!name || [layout.id, layout.time, layout.label].includes(name)) return false;
    const numbers = sample.map(({ cells }) => numberOf(cells[i], layout.decimal));
    return !numbers.includes(undefined) && !numbers.every(Number.isNaN);
  });
}

function checkColumns(table, names) {
  const twice = table.names.find((name, i) => table.names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new Error(`Two columns are called “${twice}”. The first line must name the columns.`);
  }
  const missing = names.filter((name) => !table.names.includes(name));
  if (!missing.length) return;
  const alike = table.names.filter(
    (name) => missing.some((each) => plainName(each) === plainName(name)));
  const hint = table.names.some(isNumberText) ? " The first line must name the columns." : "";
  throw new Error(
    `There is no column ${listed(missing.map((name) => `“${name}”`))}` +
    `${alike.length ? ` (but ${listed(alike.map((name) => `“${name}”`))})` : ""}. The columns are: ` +
    `${listed(table.names)}.${hint} Others can be chosen under “How the table is read”.`);
}

function checkCount(layout, training, features) {
  const count = layout.form === "wide" ? 1 : layout.values.length;
  if (!layout.values.length) throw new Error("No column of numbers is left that could be read.");
  if (count === features) return;
  if (layout.form === "wide") {
    throw new Error(
      `A table with a row for each sequence has one feature, and this model reads ${features}.`);
  }
  const known = training.values.length ? "" : ", and the server does not tell their names";
  throw new Error(
    `This model reads ${counted(features, "feature")} at each time step${known}. Received ` +
    `${count}: ${listed(layout.values)}. Name them, in the order in which the model reads them, ` +
    "under “How the table is read”.");
}

/** Returns a name without what people write in different ways. */
function plainName(name) {
  return name.toLowerCase().replace(/[\s_.-]+/g, "");
}

/** Returns names with commas between them, of many only the first ones. */
function listed(names) {
  const shown = names.slice(0, LISTED_NAMES).join(", ");
  return names.length > LISTED_NAMES ? `${shown}, … (${names.length} in all)` : shown;
}

/** Returns a number with its noun, such as “1 value” or “2,000 values”. */
function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
