"use strict";

/** A classifier behind TensorFlow Serving's REST API. */
class ServedModel {
  /** @param {string} address of the model, such as http://127.0.0.1:8501/v1/models/seqclf */
  constructor(address) {
    this.address = address.replace(/\/+$/, "");
  }

  /** Learns the size of its pictures and the names of its classes. */
  async describe() {
    const metadata = await this.#ask("/metadata");
    const signatures = metadata.metadata.signature_def.signature_def;
    if (!signatures.trace_bytes) {
      throw new Error(
        "This model has no signature trace_bytes: it reads no pictures, or not step by step " +
        "(in both directions, or with time reduction).");
    }
    const shape = signatures.trace_gates.inputs.inputs.tensor_shape.dim.map((d) => Number(d.size));
    [, this.height, this.width] = shape;
    const blank = Array(shape.slice(1).reduce((a, b) => a * b)).fill(0);
    const classified = await this.#ask(
      ":classify", { signature_name: "classify", examples: [{ inputs: blank }] });
    this.classes = classified.results[0].map(([name]) => name);
  }

  /**
   * Has a picture read.
   * @param {string} base64 a PNG file
   * @returns {Promise<Object>} name → [steps][width]: step_probabilities, state_1, update_gate_1, …
   */
  async read(base64) {
    const body = { signature_name: "trace_bytes", inputs: { image_bytes: [{ b64: base64 }] } };
    const answer = await this.#ask(":predict", body);
    return Object.fromEntries(
      Object.entries(answer.outputs).map(([name, examples]) => [name, examples[0]]));
  }

  async #ask(path, body) {
    const options = body && { method: "POST", body: JSON.stringify(body) };
    let response;
    try {
      response = await fetch(this.address + path, options);
    } catch {
      throw new Error(
        `No answer from ${this.address}. Is the server running, and does it let pages ask ` +
        "(seqclf.serve --cors; TensorFlow Serving --rest_api_enable_cors_support=true)?");
    }
    const text = await response.text();
    let content;
    try {
      content = JSON.parse(text);
    } catch {
      throw new Error(`${this.address}${path} answers ${response.status} and no JSON.`);
    }
    if (!response.ok) throw new Error(content.error || `The server answers ${response.status}.`);
    return content;
  }
}
