import assert from "node:assert/strict";
import { test } from "node:test";
import * as testing from "gatehouse-sdk/testing";
import app from "./app.js";

test("a person is greeted", async () => {
  const result = await testing.call(app, "greet", { name: "Ada" }, { scopes: ["tools"] });
  assert.equal(result.text, "Hello, Ada!");
});
