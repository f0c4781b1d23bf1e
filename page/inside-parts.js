"use strict";

/** Returns the number of layers whose states are among the names of outputs. */
function layersIn(names) {
  return names.filter((name) => /^state_\d+$/.test(name)).length;
}

/** Returns what can be seen of a layer, such as update_gate and state; gates come first. */
function partsIn(names, layer) {
  const suffix = `_${layer}`;
  return names
    .filter((name) => name.endsWith(suffix) && name !== "step_probabilities")
    .map((name) => name.slice(0, -suffix.length))
    .sort((a, b) => b.endsWith("gate") - a.endsWith("gate") || (a < b ? 1 : -1));
}
