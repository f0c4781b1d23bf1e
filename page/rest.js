"use strict";

/** TensorFlow Serving's REST API of one model. */
class Rest {
  /** @param {string} address of the model, such as http://127.0.0.1:8501/v1/models/seqclf */
  constructor(address) {
    this.address = address.replace(/\/+$/, "");
  }

  /**
   * Returns what the server tells of the model.
   * @returns {Promise<{signatures: Object, facts: Object}>} the signatures by name, as TensorFlow
   *   describes them; and facts about the training data, which seqclf.serve alone tells
   */
  async metadata() {
    const { metadata } = await this.ask("/metadata");
    return { signatures: metadata.signature_def.signature_def, facts: metadata.seqclf ?? {} };
  }

  /**
   * Runs a signature.
   * @param {string} signature_name
   * @param {Object} inputs name → values of all examples
   * @returns {Promise<Object>} name → values of all examples; of a single output the values alone
   */
  async predict(signature_name, inputs) {
    return (await this.ask(":predict", { signature_name, inputs })).outputs;
  }

  /**
   * Sends a request and returns its answer.
   * @param {string} path after the address
   * @param {Object} [body] is sent as JSON, NaN as the word; without one the request is a GET
   */
  async ask(path, body) {
    const options = body && { method: "POST", body: asJson(body) };
    let response;
    try {
      response = await fetch(this.address + path, options);
    } catch {
      throw new Error(whyNoAnswer(this.address));
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

/** Returns why a browser gets no answer from an address. */
function whyNoAnswer(address) {
  const { protocol, origin } = location;
  if (protocol === "file:") {
    return `No answer from ${address}. Is the server running, and does it let pages ask ` +
      "(seqclf.serve --cors; TensorFlow Serving --rest_api_enable_cors_support=true)?";
  }
  if (URL.canParse(address) && new URL(address).origin !== origin) {
    return `No answer from ${address}. This page comes from ${origin}: it asks that server, and ` +
      "others only if both allow it.";
  }
  return `No answer from ${address}. Is the server still running?`;
}

/** Returns a value as JSON, but for NaN: JSON has no word for it, and the server reads “NaN”. */
function asJson(value) {
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return `[${value.map(asJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${asJson(each)}`);
  return `{${entries.join(",")}}`;
}

/** Returns the shape of an input of a signature, -1 where a size is open. */
function inputShape(signature, name) {
  return shapeOf(signature.inputs[name]);
}

/** Returns the shape of an output of a signature, -1 where a size is open. */
function outputShape(signature, name) {
  return shapeOf(signature.outputs[name]);
}

function shapeOf(tensor) {
  return tensor.tensor_shape.dim.map((dim) => Number(dim.size));
}
