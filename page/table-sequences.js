"use strict";

const LONGEST = 20_000; // time steps of a sequence that is drawn

/**
 * A sequence of a table.
 * @typedef {Object} Series
 * @property {string} id
 * @property {number[][]} x [time steps][features]; NaN: the value is missing
 * @property {?string[]} times what the column of the time has; null: there is none
 * @property {?string[]} labels what the column of the class has; null: there is none
 */

/**
 * Returns the sequences of a table, in the order in which they begin.
 * @param {Table} table
 * @param {Layout} layout
 * @param {string[]} notes gets lines about what is left out
 * @returns {Series[]}
 */
function sequencesOf(table, layout, notes) {
  if (!table.rows.length) throw new Error("The table has a first line and no rows.");
  const whole = layout.form === "wide" ? wideSequences(table, layout) : longSequences(table, layout);
  return layout.window ? windowsOf(whole, layout, notes) : whole;
}

function longSequences(table, layout) {
  const place = placesOf(table, layout);
  const recordings = new Map();
  let kind = null; // of the times
  for (const row of table.rows) {
    const id = layout.id ? filled(row, place.id, layout.id) : "0";
    const step = { row, x: place.values.map((at, i) => numberIn(row, at, layout.values[i], layout)) };
    if (layout.time) {
      step.time = timeIn(row, place.time, layout.time, kind);
      ({ kind } = step.time);
    }
    if (!recordings.has(id)) recordings.set(id, []);
    recordings.get(id).push(step);
  }
  return [...recordings].map(([id, steps]) => {
    if (layout.time) sortByTime(steps, id, layout);
    const texts = (at) => steps.map(({ row }) => row.cells[at].trim());
    return {
      id,
      x: steps.map((step) => step.x),
      times: layout.time ? texts(place.time) : null,
      labels: layout.label ? texts(place.label) : null,
    };
  });
}

/** Each row is a sequence of one feature; values that are missing at its end are not a part of it. */
function wideSequences(table, layout) {
  const place = placesOf(table, layout);
  const seen = new Set();
  return table.rows.map((row, number) => {
    const id = layout.id ? filled(row, place.id, layout.id) : String(number);
    if (seen.has(id)) throw new Error(`Line ${row.line}: the id “${id}” is there already.`);
    seen.add(id);
    const numbers = place.values.map((at, i) => numberIn(row, at, layout.values[i], layout));
    while (Number.isNaN(numbers.at(-1))) numbers.pop();
    if (!numbers.length) throw new Error(`Line ${row.line}: all time steps are missing.`);
    const label = layout.label ? row.cells[place.label].trim() : null;
    return {
      id, x: numbers.map((each) => [each]), times: null,
      labels: label === null ? null : numbers.map(() => label),
    };
  });
}

function placesOf(table, { id, time, label, values }) {
  const place = (name) => table.names.indexOf(name);
  return { id: place(id), time: place(time), label: place(label), values: values.map(place) };
}

function filled({ line, cells }, at, name) {
  const text = cells[at].trim();
  if (!text) throw new Error(`Line ${line} has nothing in the column “${name}”.`);
  return text;
}

function numberIn({ line, cells }, at, name, { decimal }) {
  const number = numberOf(cells[at], decimal);
  if (Number.isNaN(number)) return NaN;
  const shown = `“${cells[at].trim().slice(0, 60)}”`;
  if (number === undefined) {
    const comma = decimal === "." && COMMA_NUMBER.test(cells[at].trim());
    const remedy = comma
      ? "If the comma is a decimal mark, say so under “How the table is read”."
      : "Correct it; an empty cell is a missing value.";
    throw new Error(
      `Line ${line}: the column “${name}” must hold numbers. Received: ${shown}. ${remedy}`);
  }
  if (!Number.isFinite(Math.fround(number))) {
    throw new Error(
      `Line ${line}: the column “${name}” must hold finite numbers (in float32). Received: ${shown}.`);
  }
  return number;
}

function timeIn(row, at, name, kind) {
  const text = filled(row, at, name);
  const time = timeOf(text);
  if (!time) {
    throw new Error(
      `Line ${row.line}: the column “${name}” must hold numbers, or dates and times such as ` +
      `2024-05-31 17:00:00.5. Received: “${text.slice(0, 60)}”.`);
  }
  if (kind && time.kind !== kind) {
    throw new Error(
      `Line ${row.line}: the column “${name}” has ${kind} above, and here “${text.slice(0, 60)}”.`);
  }
  return time;
}

function sortByTime(steps, id, { id: column, time }) {
  const before = (a, b) => a.time.value < b.time.value;
  steps.sort((a, b) => before(a, b) ? -1 : Number(before(b, a)));
  const again = steps.find((step, i) => i && !before(steps[i - 1], step));
  if (!again) return;
  const whose = column ? `the sequence “${id}”` : "the sequence";
  throw new Error(
    `Line ${again.row.line}: ${whose} has this time in “${time}” already. If another column tells ` +
    "sequences apart, choose it under “How the table is read”.");
}

/** Cuts recordings into windows as the training did. */
function windowsOf(recordings, { window, stride }, notes) {
  const windows = [];
  let [short, ends] = [0, 0];
  for (const { id, x, times, labels } of recordings) {
    if (x.length < window) short += 1;
    else ends += (x.length - window) % stride;
    for (let start = 0; start + window <= x.length; start += stride) {
      const cut = (array) => array && array.slice(start, start + window);
      windows.push({ id: `${id}:${start}`, x: cut(x), times: cut(times), labels: cut(labels) });
    }
  }
  if (!windows.length) {
    throw new Error(`The model reads windows of ${window} rows, and no recording has as many.`);
  }
  notes.push(`Cut into ${counted(windows.length, "window")} of ${window} rows, ${stride} apart.`);
  if (short) notes.push(`Shorter than a window, and left out: ${counted(short, "recording")}.`);
  if (ends) notes.push(`Behind the last windows, and left out: ${counted(ends, "row")}.`);
  return windows;
}
