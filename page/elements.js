"use strict";

const $ = (id) => document.getElementById(id);

/** Fills a choice, and keeps what was chosen if it is still there. */
function fill(select, options) {
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

/** Returns a share from 0 to 1 as text. */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/**
 * Shows shares as bars.
 * @param {HTMLElement} list
 * @param {[string, number][]} shares name and share from 0 to 1
 * @param {number} [marked] index of the one that is marked
 * @param {string[]} [colours] CSS class of each bar
 */
function showBars(list, shares, marked = -1, colours = []) {
  list.replaceChildren(...shares.map(([name, share], i) => {
    const item = document.createElement("li");
    const [label, track, number] = ["span", "div", "span"].map((t) => document.createElement(t));
    label.textContent = label.title = name;
    track.className = "track";
    const bar = document.createElement("div");
    bar.className = `bar ${colours[i] ?? ""}`.trim();
    bar.style.width = `${100 * share}%`;
    track.append(bar);
    number.textContent = percent(share);
    item.append(label, track, number);
    if (i === marked) item.ariaCurrent = "true";
    return item;
  }));
}
