// Units of measurement.

import { ToolError } from "gatehouse-sdk";

// Name: kind, factor, shift. What is measured in a unit is worth (value + shift) * factor in the
// first of its kind.
export const UNITS = {
  metre: ["length", 1, 0],
  kilometre: ["length", 1000, 0],
  foot: ["length", 0.3048, 0],
  mile: ["length", 1609.344, 0],
  kilogram: ["mass", 1, 0],
  pound: ["mass", 0.45359237, 0],
  litre: ["volume", 1, 0],
  "US gallon": ["volume", 3.785411784, 0],
  "imperial gallon": ["volume", 4.54609, 0],
  kelvin: ["temperature", 1, 0],
  celsius: ["temperature", 1, 273.15],
  fahrenheit: ["temperature", 5 / 9, 459.67],
};
export const KINDS = ["length", "mass", "volume", "temperature"];

export function convert(value, from, to) {
  const [kind, factor, shift] = UNITS[from];
  const [otherKind, otherFactor, otherShift] = UNITS[to];
  if (kind !== otherKind) throw new ToolError(`${from} is ${kind}, and ${to} is ${otherKind}`);
  // Ten digits are more than anybody measures, and hide what binary fractions cannot say.
  return Number((((value + shift) * factor) / otherFactor - otherShift).toPrecision(10));
}
