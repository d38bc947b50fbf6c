import assert from "node:assert/strict";
import { test } from "node:test";
import * as testing from "gatehouse-sdk/testing";
import app from "./tools.js";

test("a value is converted", async () => {
  const result = await testing.call(app, "convert", { value: 26.2, from: "mile", to: "kilometre" });
  assert.deepEqual(result.structured, { value: 42.1648128, unit: "kilometre" });
  assert.equal(result.text, "42.1648128 kilometre");
});

test("progress is reported for each of many values", async () => {
  const result = await testing.call(app, "convert_many", { values: [1, 2.5], from: "kilometre", to: "metre" });
  assert.deepEqual(result.structured.value, [1000, 2500]);
  assert.deepEqual(result.progress.map(({ progress, total }) => [progress, total]), [[1, 2], [2, 2]]);
});

test("the person is asked which gallon is meant", async () => {
  const input = { value: 1, from: "gallon", to: "litre" };
  const litres = { "US gallon": 3.785411784, "imperial gallon": 4.54609 };
  for (const [gallon, value] of Object.entries(litres)) {
    const result = await testing.call(app, "convert", input, { answers: { gallon } });
    assert.equal(result.structured.value, value);
  }
  for (const answers of [{ gallon: testing.DECLINE }, undefined]) {
    const result = await testing.call(app, "convert", input, { answers });
    assert.ok(result.isError);
    assert.equal(result.text, "Say “US gallon” or “imperial gallon”.");
  }
});

test("a gallon is the one that the person prefers, or else the operator", async () => {
  const given = { stores: { units: new Map() }, variables: { gallon: "imperial gallon" } };
  const litres = async (options) => {
    const input = { value: 1, from: "gallon", to: "litre" };
    return (await testing.call(app, "convert", input, { ...given, ...options })).structured.value;
  };
  assert.equal(await litres(), 4.54609);
  const said = await testing.call(app, "prefer", { gallon: "US gallon" }, given);
  assert.equal(said.text, "A gallon is the US gallon from now on.");
  assert.equal(await litres(), 3.785411784);
  assert.equal(await litres({ caller: testing.person("grace") }), 4.54609);
});

test("what cannot be converted is for the model to mend", async () => {
  const result = await testing.call(app, "convert", { value: 1, from: "mile", to: "pound" });
  assert.ok(result.isError);
  assert.equal(result.text, "mile is length, and pound is mass");
});

test("units are resources and are completed", async () => {
  const [all] = await testing.read(app, "units:all");
  assert.ok(JSON.parse(all.text).includes("kelvin"));
  assert.deepEqual(await testing.complete(app, "units:{kind}", "kind", "t"), ["temperature"]);
  assert.deepEqual(await testing.complete(app, "explain", "unit", "ki"), ["kilometre", "kilogram"]);
});
