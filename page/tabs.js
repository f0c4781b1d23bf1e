"use strict";

/** Tabs as WAI-ARIA describes them: one is chosen by a click, or by the arrow keys. */
class Tabs {
  /** @param {HTMLElement} list with role tablist; each of its tabs names its panel */
  constructor(list) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    for (const tab of this.tabs) tab.addEventListener("click", () => this.choose(tab));
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows the panel of a tab alone. */
  choose(chosen) {
    for (const tab of this.tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  }

  #key(event) {
    const last = this.tabs.length - 1;
    const at = this.tabs.indexOf(document.activeElement);
    const to = {
      ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.choose(this.tabs[to]);
    this.tabs[to].focus();
  }
}
