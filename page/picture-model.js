"use strict";

/** A served classifier of pictures. */
class PictureModel {
  /**
   * @param {Rest} rest
   * @param {Object} signatures
   */
  constructor(rest, signatures) {
    this.rest = rest;
    this.shape = inputShape(signatures.trace_gates, "inputs");
    [, this.height, this.width] = this.shape;
  }

  /** Returns whether a model can be asked for what it thinks of a picture at each step. */
  static fits(signatures) {
    return "trace_bytes" in signatures;
  }

  /** Learns the names of the classes. */
  async prepare() {
    const blank = Array(this.shape.slice(1).reduce((a, b) => a * b)).fill(0);
    const classified = await this.rest.ask(
      ":classify", { signature_name: "classify", examples: [{ inputs: blank }] });
    this.classes = classified.results[0].map(([name]) => name);
  }

  /** Returns what the model takes, as part of a sentence. */
  get inWords() {
    return `pictures of ${this.height} × ${this.width}, ${this.classes.length} classes. Draw!`;
  }

  /** What the model is, as part of a sentence. */
  get kindInWords() {
    return "a classifier of pictures";
  }

  /**
   * Has a picture read.
   * @param {string} base64 a PNG file
   * @returns {Promise<Object>} name → [steps][width]: step_probabilities, state_1, update_gate_1, …
   */
  async read(base64) {
    const outputs = await this.rest.predict("trace_bytes", { image_bytes: [{ b64: base64 }] });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, examples]) => [name, examples[0]]));
  }
}
