"use strict";

// The words for a missing number, those of seqclf.data.tables.
const MISSING = new Set([
  "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
  "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
]);
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const COMMA_NUMBER = /^[-+]?\d+,\d+(e[-+]?\d+)?$/i;
const NUMBER_WORDS = new Map([
  ["true", 1], ["false", 0],
  ...["inf", "+inf", "infinity", "+infinity"].map((word) => [word, Infinity]),
  ...["-inf", "-infinity"].map((word) => [word, -Infinity]),
]);
const DATE = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?)?(Z|[-+]\d\d(?::?\d\d)?)?$/;
const TIME_OF_DAY = /^(\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?$/;
const NANOSECONDS = 1_000_000n; // in a millisecond

/**
 * Returns the number in a cell: NaN where it is missing, undefined where there is another text.
 * @param {string} cell
 * @param {string} decimal the decimal mark
 */
function numberOf(cell, decimal) {
  const text = cell.trim();
  if (MISSING.has(text)) return NaN;
  const plain = decimal === "," && !text.includes(".") ? text.replace(",", ".") : text;
  if (NUMBER.test(plain) && !(decimal === "," && text.includes("."))) return Number(plain);
  return NUMBER_WORDS.get(text.toLowerCase());
}

/** Returns whether a text is a number, as a name of a column hardly is. */
function isNumberText(text) {
  return NUMBER.test(text.trim());
}

/**
 * Returns what rows are sorted by, and of which kind it is; null where a cell holds no time.
 * @param {string} cell a number, or a date, a time of day or both as ISO 8601 writes them
 * @returns {?{kind: string, value: (number|bigint)}} numbers, or nanoseconds
 */
function timeOf(cell) {
  const text = cell.trim();
  if (/^[-+]?\d+$/.test(text)) {
    const value = Number(text);
    return { kind: "numbers", value: Number.isSafeInteger(value) ? value : BigInt(text) };
  }
  if (NUMBER.test(text)) return { kind: "numbers", value: Number(text) };
  const [, date, clock = "00:00", seconds = ":00", fraction = "", zone] = text.match(DATE) ?? [];
  if (date) return moment(`${date}T${clock}${seconds}`, fraction, zone, "dates");
  const [, hours, rest = ":00", part = ""] = text.match(TIME_OF_DAY) ?? [];
  return hours ? moment(`1970-01-01T${hours}${rest}`, part, undefined, "times of day") : null;
}

function moment(text, fraction, zone, kind) {
  const [, hours, minutes = "00"] = zone?.match(/^([-+]\d\d):?(\d\d)?$/) ?? [];
  const offset = hours ? `${hours}:${minutes}` : "Z";
  const milliseconds = Date.parse(text + offset);
  if (Number.isNaN(milliseconds)) return null;
  const value = BigInt(milliseconds) * NANOSECONDS + BigInt(fraction.padEnd(9, "0"));
  return { kind: zone ? `${kind} with a time zone` : kind, value };
}
