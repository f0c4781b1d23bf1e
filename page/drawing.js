"use strict";

/** The canvas that a person draws on, and the small picture that becomes of it. */
class Drawing {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(finished: boolean) => void} changed called while and after each stroke
   */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.last = null;
    this.clear();
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => this.#end());
    }
  }

  clear() {
    this.context.fillStyle = "black";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.empty = true;
  }

  /**
   * Returns the drawing as a small canvas.
   * @param {number} width
   * @param {number} height
   * @param {boolean} fit scaled to a box in the middle, by its centre of mass, as MNIST's digits
   *   are (20 of 28 pixels; small pictures are filled)
   */
  picture(width, height, fit) {
    let { x, y, size } = { x: 0, y: 0, size: this.canvas.width };
    if (fit && !this.empty) {
      const ink = this.#ink();
      size = Math.max(ink.right - ink.left, ink.bottom - ink.top) / (height >= 20 ? 20 / 28 : 1);
      x = ink.massX - size / 2;
      y = ink.massY - size / 2;
    }
    const square = this.#cut(x, y, size);
    return shrunk(square, width, height);
  }

  #cut(x, y, size) {
    const square = newCanvas(this.canvas.width, this.canvas.height);
    const scale = square.width / size;
    const context = square.getContext("2d");
    context.fillStyle = "black";
    context.fillRect(0, 0, square.width, square.height);
    context.drawImage(
      this.canvas, -x * scale, -y * scale, this.canvas.width * scale, this.canvas.height * scale);
    return square;
  }

  #ink() {
    const { width, height } = this.canvas;
    const pixels = this.context.getImageData(0, 0, width, height).data;
    let [left, top, right, bottom, total, sumX, sumY] = [width, height, 0, 0, 0, 0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = pixels[4 * (y * width + x)];
        if (value < 64) continue;
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y + 1);
        total += value;
        sumX += value * (x + 0.5);
        sumY += value * (y + 0.5);
      }
    }
    return { left, top, right, bottom, massX: sumX / total, massY: sumY / total };
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      (event.clientX - box.left) * this.canvas.width / box.width,
      (event.clientY - box.top) * this.canvas.height / box.height,
    ];
  }

  #begin(event) {
    if (event.button) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.#place(event);
    this.#line(this.last);
  }

  #move(event) {
    if (!this.last) return;
    // Between two frames a fast hand has been in many places.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.#line(this.#place(each));
  }

  #end() {
    if (!this.last) return;
    this.last = null;
    this.changed(true);
  }

  #line(to) {
    const context = this.context;
    context.strokeStyle = "white";
    context.lineWidth = this.canvas.width / 13;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...this.last);
    context.lineTo(...to);
    context.stroke();
    this.last = to;
    this.empty = false;
    this.changed(false);
  }
}

function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d", { willReadFrequently: true }); // later calls get the same context
  return canvas;
}

/** Returns a canvas at a smaller size: the mean of what each pixel covers, by halves. */
function shrunk(canvas, width, height) {
  let from = canvas;
  while (from.width > 2 * width || from.height > 2 * height) {
    const half = newCanvas(
      Math.max(width, Math.ceil(from.width / 2)), Math.max(height, Math.ceil(from.height / 2)));
    half.getContext("2d").drawImage(from, 0, 0, half.width, half.height);
    from = half;
  }
  const small = newCanvas(width, height);
  small.getContext("2d").drawImage(from, 0, 0, width, height);
  return small;
}
