"use strict";

const TOLD = 12; // stretches that are told one by one

/**
 * Returns what a drawn series looks like, for those who do not see it.
 * @param {number[][]} x [time steps][features]
 * @param {string[]} names of the features
 */
function seriesInWords(x, names) {
  const told = names.slice(0, TOLD).map((name, i) => {
    const values = x.map((row) => row[i]);
    const missing = values.filter(Number.isNaN).length;
    const [least, most] = extremes(values);
    const range = missing < values.length
      ? `begins at ${short(values[0])}, ends at ${short(values.at(-1))}, goes from ${short(least)} ` +
        `to ${short(most)}`
      : "has no values";
    return `${name} ${range}${missing ? `, ${missing} missing` : ""}.`;
  });
  const more = names.length - told.length;
  return `${counted(names.length, "feature")} over ${counted(x.length, "time step")}. ` +
    told.join(" ") + (more ? ` And ${counted(more, "feature")} more.` : "");
}

/**
 * Returns the stretches of time steps in which one class is the most probable one.
 * @param {number[][]} steps probabilities [time steps][classes]
 * @returns {{best: number, from: number, to: number}[]} time steps count from 1
 */
function stretchesOf(steps) {
  const stretches = [];
  steps.forEach((shares, i) => {
    const best = shares.indexOf(Math.max(...shares));
    const last = stretches.at(-1);
    if (last?.best === best) last.to = i + 1;
    else stretches.push({ best, from: i + 1, to: i + 1 });
  });
  return stretches;
}

/** Returns which class is the most probable one in which time steps. */
function stretchesInWords(steps, classes) {
  const stretches = stretchesOf(steps);
  const told = stretches.slice(0, TOLD).map(({ best, from, to }) =>
    `${classes[best]} ${from === to ? `after step ${from}` : `after steps ${from} to ${to}`}`);
  const more = stretches.length - told.length;
  const rest = more ? `, and ${counted(more, "change")} more` : "";
  return `The most probable class: ${told.join(", ")}${rest}.`;
}

/** Returns what a map of units shows. */
function unitsInWords(part, layer, rows) {
  const values = rows.flat();
  const [least, most] = extremes(values);
  return `The ${part} of layer ${layer}: ${counted(rows[0].length, "unit")} over ` +
    `${counted(rows.length, "time step")}, from ${short(least)} to ${short(most)}, mean ` +
    `${short(values.reduce((a, b) => a + b, 0) / values.length)}.`;
}
