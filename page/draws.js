"use strict";

// Draws of the next token: the same ones as seqclf.generate and the signature `generate` make, so
// that a seed gives the same text. SplitMix64 (Steele, Lea & Flood 2014), and no probability below
// the smallest normal float32.
const STEP = 0x9E3779B97F4A7C15n;
const ROUNDS = [[30n, 0xBF58476D1CE4E5B9n], [27n, 0x94D049BB133111EBn]];
const LAST_SHIFT = 31n;
const UNUSED_BITS = 11n; // a number of JavaScript holds 53 bits
const SMALLEST = 2 ** -126;

/**
 * Returns a random number from 0 to 1, 1 left out.
 * @param {bigint} seed of a text
 * @param {number} position of the token among those that are written, from 0
 */
function uniform(seed, position) {
  const key = mixed(seed + STEP);
  return Number(mixed(key + BigInt(position + 1) * STEP) >> UNUSED_BITS) * 2 ** -53;
}

function mixed(value) {
  value = BigInt.asUintN(64, value);
  for (const [shift, factor] of ROUNDS) {
    value = BigInt.asUintN(64, (value ^ (value >> shift)) * factor);
  }
  return value ^ (value >> LAST_SHIFT);
}

/** Returns the ids of the tokens that may be written, the most probable first; never 0, unknown. */
function byProbability(probabilities) {
  return probabilities.map((_, id) => id).slice(1)
    .sort((a, b) => probabilities[b] - probabilities[a] || a - b);
}

/**
 * Returns the id of the next token.
 * @param {number[]} probabilities of each token to be the next one
 * @param {number} temperature the logits are divided by it; 0 takes the most probable token
 * @param {number} topK only so many of the most probable tokens can be drawn; 0: all
 * @param {number} drawn a random number of `uniform`
 */
function choose(probabilities, temperature, topK, drawn) {
  const order = byProbability(probabilities);
  const divisor = Math.fround(temperature); // as signatures take it
  if (divisor === 0) return order[0];
  const kept = topK ? order.slice(0, topK) : order;
  const scores = kept.map((id) => Math.log(Math.max(probabilities[id], SMALLEST)));
  let sum = 0;
  const sums = scores.map((score) => sum += Math.exp((score - scores[0]) / divisor));
  const chosen = sums.filter((each) => each <= drawn * sum).length;
  return kept[Math.min(chosen, kept.length - 1)];
}
