"use strict";

const NAMES = { " ": "space", "\n": "line end", "\t": "tab", "\r": "carriage return", "": "nothing" };

/**
 * Returns how a token is shown outside of a text: one that cannot be seen by its name.
 * @param {string} token of a model of bytes the character of its number
 * @param {boolean} bytes whether the model is one of bytes
 */
function tokenName(token, bytes) {
  if (bytes && !/^[\n\t\r -~]$/.test(token)) return hexadecimal(token);
  return NAMES[token] ?? token;
}

/** Returns how a token is shown in a text. */
function tokenInText(token, bytes) {
  return bytes && !/^[\n\t -~]$/.test(token) ? hexadecimal(token) : token;
}

function hexadecimal(byte) {
  return `0x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
