"use strict";

/**
 * Asks a server what its model takes, and returns what the page can do with it.
 * @param {string} address of the model
 * @returns {Promise<PictureModel|TextModel|SeriesModel>}
 */
async function servedModel(address) {
  const rest = new Rest(address);
  const { signatures, facts } = await rest.metadata();
  const Kind = [PictureModel, TextModel, SeriesModel].find((kind) => kind.fits(signatures));
  if (!Kind) throw new Error(whyNot(signatures));
  const model = new Kind(rest, signatures, facts);
  await model.prepare();
  return model;
}

/** Returns why the page can do nothing with a model. */
function whyNot(signatures) {
  if ("generate" in signatures) {
    return "This language model has no signatures trace_step and tokens: its export is of an " +
      "earlier version. Export it again (python -m seqclf.export).";
  }
  return "This model has no signature trace_bytes and takes no sequences of numbers: it reads no " +
    "pictures, or not step by step (in both directions, or with time reduction).";
}
