"use strict";

/** TensorFlow Serving's REST API of one model. */
class Rest {
  /** @param {string} address of the model, such as http://127.0.0.1:8501/v1/models/seqclf */
  constructor(address) {
    this.address = address.replace(/\/+$/, "");
  }

  /** Returns the signatures of the model by name, as TensorFlow describes them. */
  async signatures() {
    const answer = await this.ask("/metadata");
    return answer.metadata.signature_def.signature_def;
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
   * @param {Object} [body] is sent as JSON; without one the request is a GET
   */
  async ask(path, body) {
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

/** Returns the shape of an input of a signature, -1 where a size is open. */
function inputShape(signature, name) {
  return signature.inputs[name].tensor_shape.dim.map((d) => Number(d.size));
}
