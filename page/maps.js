"use strict";

/**
 * Draws a matrix, one pixel a value, what has not been read yet faintly.
 * @param {HTMLCanvasElement} canvas
 * @param {number[][]} rows
 * @param {number} read rows that have been read
 * @param {number} low value of the scale's first colour
 * @param {number[][]} scale colours from `low` to 1
 * @param {number[]} order of the columns
 */
function drawMap(canvas, rows, read, low, scale, order) {
  canvas.width = order.length;
  canvas.height = rows.length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  rows.forEach((row, y) => order.forEach((column, x) => {
    const at = 4 * (y * canvas.width + x);
    image.data.set(colour((row[column] - low) / (1 - low), scale), at);
    image.data[at + 3] = y < read ? 255 : 40;
  }));
  context.putImageData(image, 0, 0);
}

/** Draws a picture in grey, the rows from `read` (which may be a fraction) on faintly. */
function drawPicture(canvas, picture, read) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d");
  const pixels = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
  for (let i = 0; i < picture.width * picture.height; i++) {
    pixels.data[4 * i + 3] = i / picture.width < read ? 255 : 90;
  }
  context.putImageData(pixels, 0, 0);
}

/** Draws the colours of a scale from left to right. */
function drawLegend(canvas, scale) {
  const ramp = Array.from({ length: canvas.width }, (_, i) => i / (canvas.width - 1));
  drawMap(canvas, [ramp], 1, 0, scale, ramp.map((_, i) => i));
}

/**
 * Draws the values of units along a text: a row a unit, a column a token.
 * @param {HTMLCanvasElement} canvas
 * @param {number[][]} rows values by token and unit
 * @param {number} from number of tokens that have been drawn; 0 begins anew
 * @param {number} total tokens that there will be; nothing is drawn of those that are to come
 * @param {(value: number) => number[]} colourOf a value, [red, green, blue]
 */
function drawUnits(canvas, rows, from, total, colourOf) {
  const units = rows[0].length;
  if (!from) [canvas.width, canvas.height] = [total, units];
  const columns = rows.slice(from);
  if (!columns.length) return;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns.length, units);
  columns.forEach((row, x) => row.forEach((value, y) => {
    image.data.set([...colourOf(value), 255], 4 * (y * columns.length + x));
  }));
  context.putImageData(image, from, 0);
}
