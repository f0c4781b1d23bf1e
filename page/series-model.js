"use strict";

const MOST_TRACED = 2_000_000; // values of states and gates that are asked for at once
const NOT_ZERO = 0.5; // a number that JSON writes with a decimal point, as the Classify API wants it

/**
 * What a model says of a sequence.
 * @typedef {Object} Reading
 * @property {?{name: string, share: number, probabilities: number[]}} answer for the whole sequence:
 *   the class, its probability and those of all classes; null where each time step has its own
 * @property {?number[][]} steps probabilities after each time step [time steps][classes]; null: the
 *   model does not tell them
 * @property {Object} inside states and gates, name → [time steps][units]; of some models none
 */

/** A served classifier of sequences of numbers. */
class SeriesModel {
  /**
   * @param {Rest} rest
   * @param {Object} signatures
   * @param {Object} facts what the server tells of the training data, {}: nothing
   */
  constructor(rest, signatures, facts) {
    this.rest = rest;
    this.signatures = signatures;
    this.spec = facts.spec ?? null;
    this.range = facts.input_range ?? null;
    const { inputs } = signatures.serving_default;
    [, this.timeSteps, this.features] = inputShape(signatures.serving_default, "inputs");
    this.takesLengths = "lengths" in inputs;
    this.integers = inputs.inputs.dtype === "DT_UINT8";
    const answers = outputShape(signatures.serving_default, "probabilities");
    this.perStep = answers.length === 3;
    this.classes = Array.from({ length: answers.at(-1) }, (_, i) => `class ${i}`);
    this.layout = trainingLayout(this.spec);
  }

  /** Returns whether a model reads sequences of numbers, and no pictures. */
  static fits(signatures) {
    const shape = signatures.serving_default?.inputs?.inputs?.tensor_shape?.dim;
    return shape?.length === 3 && !("serving_bytes" in signatures);
  }

  /** Learns the names of the classes. */
  async prepare() {
    if (this.spec) this.classes = this.spec.class_names;
    else if ("classify" in this.signatures) this.classes = await this.#classNames();
  }

  async #classNames() {
    const steps = this.takesLengths ? 1 : this.timeSteps;
    const inputs = Array(steps * this.features).fill(this.integers ? 0 : NOT_ZERO);
    const classified = await this.rest.ask(
      ":classify", { signature_name: "classify", examples: [{ inputs }] });
    return classified.results[0].map(([name]) => name);
  }

  /** Returns what the model takes, as part of a sentence. */
  get inWords() {
    const steps = this.takesLengths ? "any length" : counted(this.timeSteps, "time step");
    return `sequences of ${steps}, ${counted(this.features, "number")} at each time step, ` +
      `${this.classes.length} classes. Give it a table!`;
  }

  /** What the model is, as part of a sentence. */
  get kindInWords() {
    return "a classifier of sequences of numbers";
  }

  /** Names of the features, in the order in which the model reads them; of some models none. */
  get featureNames() {
    return this.spec?.feature_names ?? [];
  }

  /** Whether it is told what the model would answer if the sequence ended at each time step. */
  get traces() {
    return "trace" in this.signatures;
  }

  /** Returns the signature that tells most of a sequence; states and gates only if they are few. */
  #trace(steps) {
    if (!("trace_gates" in this.signatures)) return "trace";
    const { outputs } = this.signatures.trace_gates;
    const units = Object.keys(outputs).filter((name) => name !== "step_probabilities")
      .map((name) => outputShape(this.signatures.trace_gates, name).at(-1));
    return steps * units.reduce((a, b) => a + b, 0) <= MOST_TRACED ? "trace_gates" : "trace";
  }

  /**
   * Has a sequence read.
   * @param {number[][]} x [time steps][features]; NaN: the value is missing
   * @returns {Promise<Reading>}
   */
  async read(x) {
    const inputs = { inputs: [x], ...this.takesLengths && { lengths: [x.length] } };
    const signature = this.traces ? this.#trace(x.length) : null;
    const [answered, traced] = await Promise.all([
      this.rest.predict("serving_default", inputs),
      signature && this.rest.predict(signature, inputs),
    ]);
    const [probabilities, index, name] =
      ["probabilities", "class_index", "class_name"].map((key) => answered[key][0]);
    const inside = Object.fromEntries(
      Object.entries(signature === "trace_gates" ? traced : {}).map(
        ([key, [rows]]) => [key, rows.slice(0, x.length)]));
    this.#learn([index].flat(), [name].flat());
    const steps = signature === "trace" ? traced[0] : inside.step_probabilities;
    delete inside.step_probabilities;
    if (this.perStep) {
      return { answer: null, steps: (steps ?? probabilities).slice(0, x.length), inside };
    }
    const answer = { name, share: probabilities[index], probabilities };
    return { answer, steps: steps ? steps.slice(0, x.length) : null, inside };
  }

  /** Learns the names of classes from an answer, of a server that does not tell them otherwise. */
  #learn(indices, names) {
    if (this.spec) return;
    indices.forEach((index, i) => {
      if (index in this.classes) this.classes[index] = names[i];
    });
  }
}
