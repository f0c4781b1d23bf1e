"use strict";

const MUCH_LONGER = 2; // times as long as the longest sequence of the training data

/**
 * Checks that a model takes a sequence.
 * @param {Series} series
 * @param {SeriesModel} model
 */
function checkFit({ x }, model) {
  if (x.length > LONGEST) {
    throw new Error(
      `The sequence has ${counted(x.length, "time step")}, and this page draws up to ` +
      `${LONGEST.toLocaleString("en")}: give it to python -m seqclf.predict.`);
  }
  if (!model.takesLengths && x.length !== model.timeSteps) {
    throw new Error(
      `This model reads sequences of ${counted(model.timeSteps, "time step")}, as those were that ` +
      `it was trained on. Received: ${x.length}.`);
  }
  // What has its default is left out of a spec.
  const refused = model.integers || (model.spec !== null && !model.spec.missing);
  const bad = x.findIndex((row) => row.some((each) => Number.isNaN(each)));
  if (refused && bad >= 0) {
    throw new Error(
      `A value is missing at time step ${bad + 1}, and this model takes no missing values: fill ` +
      "them in, or train a model with data.missing.");
  }
  const whole = (each) => Number.isInteger(each) && each >= 0 && each <= 255;
  if (model.integers && !x.every((row) => row.every(whole))) {
    throw new Error("This model reads whole numbers from 0 to 255.");
  }
}

/** Returns sentences about what is probably wrong with a sequence. */
function warningsAbout({ x }, model) {
  return [rangeWarning(x, model.range), lengthWarning(x, model)].filter(Boolean);
}

/** Values are far outside if they exceed the range of the training inputs by more than its width. */
function rangeWarning(x, range) {
  if (!range) return "";
  const [low, high] = [range.low, range.high].map((each) => [each].flat());
  const widest = Math.max(...high) - Math.min(...low);
  const far = x[0].some((_, i) => {
    const [from, to] = [low, high].map((each) => each[each.length > 1 ? i : 0]);
    const width = to > from ? to - from : widest;
    return x.some((row) => row[i] < from - width || row[i] > to + width);
  });
  if (!far) return "";
  const [least, most] = extremes(x.flat());
  return `The values go from ${short(least)} to ${short(most)}, and those of the training data went ` +
    `from ${short(Math.min(...low))} to ${short(Math.max(...high))}: if they are scaled otherwise, ` +
    "the answer is wrong.";
}

function lengthWarning(x, { takesLengths, spec }) {
  const longest = spec?.raw_shape[0];
  if (!takesLengths || !longest || x.length <= MUCH_LONGER * longest) return "";
  return `The sequence is more than twice as long as the longest one of the training data ` +
    `(${counted(longest, "time step")}): the answer may be wrong.`;
}

/** Returns the least and the largest of some numbers, leaving out NaN. */
function extremes(numbers) {
  let [least, most] = [Infinity, -Infinity];
  for (const each of numbers) {
    if (each < least) least = each;
    if (each > most) most = each;
  }
  return [least, most];
}

/** Returns a number in few characters. */
function short(number) {
  return Number.isNaN(number) ? "missing" : String(Number(number.toPrecision(4)));
}
