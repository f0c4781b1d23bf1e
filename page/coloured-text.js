"use strict";

/** A text whose tokens have grounds of their own colours; one of them is marked. */
class ColouredText {
  /**
   * @param {HTMLElement} element
   * @param {(index: ?number) => void} over called with the token that the pointer is over, or null
   * @param {(index: number) => void} picked called with the token that is clicked
   */
  constructor(element, over, picked) {
    this.element = element;
    this.spans = [];
    this.marked = null; // one of them
    const indexOf = (event) => this.spans.indexOf(event.target.closest("span"));
    element.addEventListener("pointerover", (event) => {
      const index = indexOf(event);
      over(index < 0 ? null : index);
    });
    element.addEventListener("pointerleave", () => over(null));
    element.addEventListener("click", (event) => {
      if (indexOf(event) >= 0) picked(indexOf(event));
    });
  }

  clear() {
    this.spans = [];
    this.element.replaceChildren();
  }

  /**
   * Adds a token at the end.
   * @param {string} text
   * @param {string[]} classes names of its CSS classes
   * @param {string} separator what stands before it, unless it is the first one
   */
  add(text, classes, separator) {
    const span = document.createElement("span");
    span.textContent = text;
    span.classList.add(...classes);
    if (text === "\n") span.classList.add("line-end");
    if (this.spans.length && separator) this.element.append(separator);
    this.spans.push(span);
    this.element.append(span);
  }

  /** Colours the token at an index; the ground is [red, green, blue]. */
  paint(index, ground) {
    const { style } = this.spans[index];
    style.backgroundColor = `rgb(${ground.map(Math.round).join(" ")})`;
    style.color = inkOn(ground);
  }

  /** Marks the token at an index, and no other. */
  mark(index) {
    this.marked?.classList.remove("marked");
    this.marked = this.spans[index];
    this.marked.classList.add("marked");
  }
}
