"use strict";

const TOP = 6; // of a plot whose height is 100; what is above and below keeps a line visible
const QUARTERS = [0, 0.25, 0.5, 0.75, 1]; // of the range, at which a plot has grid lines
const COLOURED = 6; // lines that have colours of their own

/**
 * Returns a line through values as the data of an SVG path: a time step is 1 wide, the height 100.
 * @param {number[]} values NaN: the value is missing, and the line is broken
 * @param {number} low value at the bottom
 * @param {number} high value at the top
 */
function linePath(values, low, high) {
  let path = "";
  let broken = true;
  values.forEach((value, t) => {
    if (Number.isNaN(value)) {
      broken = true;
      return;
    }
    const share = high > low ? (value - low) / (high - low) : 0.5;
    const y = heightOf(share);
    path += broken ? `M${t + 0.5} ${y}h0` : `L${t + 0.5} ${y}`; // h0: a value alone is a dot
    broken = false;
  });
  return path;
}

/** Returns the distance from the top of a plot, 0 to 100, at which a share of its range is drawn. */
function heightOf(share) {
  return (100 - TOP - share * (100 - 2 * TOP)).toFixed(2);
}

/** Gives a plot its lines, and as many time steps as its width stands for. */
function drawLines(svg, timeSteps, lines) {
  svg.setAttribute("viewBox", `0 0 ${timeSteps} 100`);
  svg.replaceChildren(...lines.map(({ path, className }) => {
    const line = document.createElementNS(svg.namespaceURI, "path");
    line.setAttribute("d", path);
    line.setAttribute("class", className);
    return line;
  }));
}

/**
 * Draws the probability of each class after each time step.
 * @param {SVGElement} svg
 * @param {number[][]} steps probabilities [time steps][classes]
 * @param {string[]} classNames the CSS class of the line of each class
 */
function drawChances(svg, steps, classNames) {
  const lines = classNames.map((className, i) => (
    { className: `line ${className}`, path: linePath(steps.map((shares) => shares[i]), 0, 1) }));
  // Those with a colour are drawn last, above the others.
  const isRest = ({ className }) => Number(className === "line rest");
  lines.sort((a, b) => isRest(b) - isRest(a));
  const grid = QUARTERS.map((share) => `M0 ${heightOf(share)}h${steps.length}`).join("");
  drawLines(svg, steps.length, [{ className: "grid", path: grid }, ...lines]);
}

/**
 * Returns the CSS class of each line: a colour for those classes that reach the highest
 * probabilities, “rest” for the others.
 */
function lineClasses(steps) {
  const reached = steps[0].map((_, i) => extremes(steps.map((shares) => shares[i]))[1]);
  const order = reached.map((_, i) => i).sort((a, b) => reached[b] - reached[a] || a - b);
  const coloured = order.slice(0, COLOURED).sort((a, b) => a - b);
  return reached.map((_, i) => coloured.includes(i) ? `colour-${coloured.indexOf(i) + 1}` : "rest");
}
