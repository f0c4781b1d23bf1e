"use strict";

const MOST_IDS = 64; // of a request: the batch that an export allows

/** A served language model. */
class TextModel {
  /**
   * @param {Rest} rest
   * @param {Object} signatures
   */
  constructor(rest, signatures) {
    this.rest = rest;
    const { inputs, outputs } = signatures.trace_step;
    this.states = Object.keys(inputs).filter((name) => name.startsWith("state_"));
    this.states.sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
    this.widths = this.states.map((name) => inputShape(signatures.trace_step, name)[1]);
    this.gates = Object.keys(outputs).filter((name) => /_gate_\d+$/.test(name)).sort();
    this.bytes = "tokens_bytes" in signatures.tokens.outputs;
    this.names = new Map(); // tokens by id, as far as they have been asked for
  }

  /** Returns whether a model can be asked for its gates at each token. */
  static fits(signatures) {
    return "trace_step" in signatures && "tokens" in signatures;
  }

  /** Learns what the tokens are. */
  async prepare() {
    const { tokens } = await this.split("a b");
    this.separator = tokens.length === 2 ? " " : ""; // words are joined by spaces
    this.kind = this.separator ? "words" : this.bytes ? "bytes" : "characters";
  }

  /** Returns what the model takes, as part of a sentence. */
  get inWords() {
    return `a language model of ${this.kind}. Give it a prefix, and it writes on.`;
  }

  /** What the model is, as part of a sentence. */
  get kindInWords() {
    return "a language model";
  }

  /** Returns the number of recurrent layers. */
  get layers() {
    const numbers = this.gates.map((name) => Number(name.match(/\d+$/)[0]));
    return numbers.length ? Math.max(...numbers) : this.states.length;
  }

  /**
   * Returns what can be looked at in a layer: [part, name of the output, number of units].
   * @param {number} layer from 1 on
   */
  parts(layer) {
    const each = this.states.length / this.layers; // an LSTM has two states in a layer
    const first = (layer - 1) * each;
    const units = this.widths[first];
    const states = ["state", "cell state"].slice(0, each)
      .map((part, i) => [part, this.states[first + i], units]);
    const gates = this.gates.filter((name) => name.endsWith(`_gate_${layer}`))
      .map((name) => [name.replace(/_\d+$/, "").replaceAll("_", " "), name, units]);
    return [...states, ...gates];
  }

  /** Returns states of zeros: nothing has been read. */
  zeros() {
    return Object.fromEntries(this.states.map((name, i) => [name, Array(this.widths[i]).fill(0)]));
  }

  /**
   * Splits a prefix into tokens.
   * @returns {Promise<{ids: number[], tokens: string[]}>} id 0: the vocabulary lacks it
   */
  async split(prefix) {
    const outputs = await this.rest.predict("start", { prefix: [prefix] });
    const [tokens] = outputs[this.bytes ? "tokens_bytes" : "tokens"];
    return { ids: outputs.ids[0], tokens: tokens.map((token) => this.#shown(token)) };
  }

  /**
   * Has a token read.
   * @param {number} id of the token
   * @param {Object} states before it, name → [units]
   * @returns {Promise<Object>} name → [width]: probabilities of the next token, states, gates
   */
  async read(id, states) {
    const given = Object.fromEntries(this.states.map((name) => [name, [states[name]]]));
    const outputs = await this.rest.predict("trace_step", { ids: [id], ...given });
    return Object.fromEntries(Object.entries(outputs).map(([name, rows]) => [name, rows[0]]));
  }

  /** Returns tokens by their ids; a byte as the character of its number. */
  async tokens(ids) {
    const missing = [...new Set(ids)].filter((id) => !this.names.has(id));
    for (let at = 0; at < missing.length; at += MOST_IDS) {
      const asked = missing.slice(at, at + MOST_IDS);
      const answer = await this.rest.predict("tokens", { ids: asked });
      asked.forEach((id, i) => this.names.set(id, this.#shown(answer[i])));
    }
    return ids.map((id) => this.names.get(id));
  }

  /** Returns tokens as one text. */
  joined(tokens) {
    const text = tokens.join(this.separator);
    if (!this.bytes) return text;
    return new TextDecoder().decode(Uint8Array.from(text, (byte) => byte.charCodeAt(0)));
  }

  #shown(token) {
    return this.bytes ? atob(token.b64) : token;
  }
}
