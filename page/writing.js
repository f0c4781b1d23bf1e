"use strict";

const LIKELIEST = 8; // alternatives that are kept for each token

/**
 * A token of a text that is being written.
 * @typedef {Object} Token
 * @property {string} text
 * @property {boolean} written whether the model wrote it; otherwise it is of the prefix
 * @property {boolean} unknown whether the vocabulary lacks it
 * @property {?number} probability given the tokens before it; null: there are none
 * @property {[string, number][]} likeliest the tokens that were the most probable ones in its place
 * @property {number} place of itself among them, -1: it is not one of them
 * @property {Object} inside states and gates after it, name → [units]
 */

/**
 * Has a model read a prefix and write on, and yields each token when it has been read.
 * @param {TextModel} model
 * @param {{ids: number[], tokens: string[]}} prefix as the model has split it
 * @param {{length: number, temperature: number, topK: number, seed: bigint}} options
 * @returns {AsyncGenerator<Token>}
 */
async function* write(model, prefix, { length, temperature, topK, seed }) {
  let inside = model.zeros();
  let probabilities = null; // of the next token
  for (let at = 0; at < prefix.ids.length + length; at++) {
    const position = at - prefix.ids.length; // among those that are written
    const written = position >= 0;
    const id = written
      ? choose(probabilities, temperature, topK, uniform(seed, position)) : prefix.ids[at];
    const likeliest = probabilities ? byProbability(probabilities).slice(0, LIKELIEST) : [];
    const [text, ...names] = await model.tokens([id, ...likeliest]);
    const token = {
      text: written ? text : prefix.tokens[at],
      written,
      unknown: id === 0,
      probability: probabilities && probabilities[id],
      likeliest: likeliest.map((each, i) => [names[i], probabilities[each]]),
      place: likeliest.indexOf(id),
    };
    ({ probabilities, ...inside } = await model.read(id, inside));
    yield { ...token, inside };
  }
}
