"use strict";

const LARGEST_FILE = 32 * 2 ** 20; // bytes; the whole file and all its numbers are held in memory
const SEPARATORS = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "bar" };
const LINE_END = /\r\n|\n|\r/;
// First characters of files that are no text, what these are, and what can be done.
const OTHER_FILES = [
  ["PK\x03\x04", "an Excel file (.xlsx) or another zip archive", "Save the sheet as CSV UTF-8"],
  ["\xd0\xcf\x11\xe0", "an old Excel file (.xls)", "Save the sheet as CSV UTF-8"],
  ["\x1f\x8b", "packed with gzip", "Unpack it"],
  ["PAR1", "a Parquet file", "python -m seqclf.predict reads it, and this page only CSV"],
  ["\x93NUMPY", "a NumPy array", "Write it as CSV"],
];

/**
 * Returns the text of a file.
 * @param {File} file
 * @returns {Promise<string>}
 */
async function textOf(file) {
  if (file.size > LARGEST_FILE) {
    throw new Error(
      `${file.name} has ${Math.ceil(file.size / 2 ** 20)} MiB, and this page reads files of up to ` +
      `${LARGEST_FILE / 2 ** 20} MiB: give it to python -m seqclf.predict.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  const other = OTHER_FILES.find(([magic]) => start.startsWith(magic));
  if (other) throw new Error(`${file.name} is no CSV file but ${other[1]}. ${other[2]}.`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${file.name} is no text in UTF-8. Save it as CSV UTF-8.`);
  }
}

/**
 * A table as its text has it.
 * @typedef {Object} Table
 * @property {string[]} names of the columns
 * @property {{line: number, cells: string[]}[]} rows with the lines at which they begin, from 1
 * @property {string} separator between two values
 */

/**
 * Reads CSV text whose first line names the columns.
 * @param {string} text
 * @param {string} separator between two values; "" finds it
 * @param {string} usual the separator that is taken if the first line has it and none is given
 * @returns {Table}
 */
function csvTable(text, separator, usual) {
  if (text.includes("\0")) throw new Error("The text holds a zero byte: it is damaged, or no CSV.");
  const found = separator || likelySeparator(text, usual);
  const [header, ...rows] = csvRows(text.replace(/^\uFEFF/, ""), found);
  if (!header) throw new Error("There is nothing but blank lines.");
  const names = header.cells.map((name) => name.trim());
  for (const { line, cells } of rows) {
    if (cells.length === names.length) continue;
    throw new Error(
      `Line ${line} has ${counted(cells.length, "value")} and the first line ${names.length}. A ` +
      `value that holds the separator (${SEPARATORS[found]}) must be in quotes.`);
  }
  return { names, rows, separator: found };
}

/** Returns the separator that the first line of a text has most often. */
function likelySeparator(text, usual) {
  const line = text.split(LINE_END, 1)[0].replace(/"[^"]*"/g, "");
  if (usual && line.includes(usual)) return usual;
  const counts = Object.keys(SEPARATORS).map((mark) => line.split(mark).length);
  return Object.keys(SEPARATORS)[counts.indexOf(Math.max(...counts))];
}

/** Splits CSV text into rows as RFC 4180 says; blank lines are left out. */
function csvRows(text, separator) {
  const rows = text.includes('"') ? quotedRows(text, separator) : plainRows(text, separator);
  return rows.filter(({ cells }) => cells.length > 1 || cells[0].trim());
}

function plainRows(text, separator) {
  return text.split(LINE_END).map((line, i) => ({ line: i + 1, cells: line.split(separator) }));
}

function quotedRows(text, separator) {
  const mark = separator === "|" ? "\\|" : separator;
  const cell = new RegExp(
    `(?:"([^"]*(?:""[^"]*)*)"|((?!")[^${mark}\\r\\n]*))(${mark}|\\r\\n|\\n|\\r|$)`, "y");
  const rows = [];
  let [line, begun, cells] = [1, 1, []];
  for (;;) {
    const found = cell.exec(text);
    if (!found) {
      throw new Error(
        `Line ${line}: a quote that opens is never closed, or text follows the one that closes.`);
    }
    const [, quoted, plain, end] = found;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += (quoted ?? "").split(LINE_END).length - 1;
    if (end === separator) continue;
    rows.push({ line: begun, cells });
    if (!end) return rows;
    line += 1;
    [begun, cells] = [line, []];
  }
}
