"use strict";

/** Returns [mean, standard deviation] of each unit along a text, from values [tokens][units]. */
function unitStatistics(rows) {
  return rows[0].map((_, unit) => {
    const mean = rows.reduce((sum, row) => sum + row[unit], 0) / rows.length;
    const square = rows.reduce((sum, row) => sum + (row[unit] - mean) ** 2, 0) / rows.length;
    return [mean, Math.sqrt(square)];
  });
}

/** Returns the units that vary most along a text, the first one first. */
function mostVaried(statistics, count) {
  return strongest(statistics.map(([, deviation]) => deviation), count);
}

/** Returns the units that are farthest from their means at a token whose values are `row`. */
function mostAtWork(statistics, row, count) {
  return strongest(row.map((value, unit) => Math.abs(value - statistics[unit][0])), count);
}

function strongest(strengths, count) {
  return strengths.map((_, unit) => unit)
    .sort((a, b) => strengths[b] - strengths[a] || a - b).slice(0, count);
}
