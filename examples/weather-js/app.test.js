import assert from "node:assert/strict";
import { test } from "node:test";
import * as testing from "gatehouse-sdk/testing";
import app from "./app.js";

const FOUND = { results: [{ name: "Oslo", latitude: 59.9, longitude: 10.7 }] };
const NOW = { current: { temperature_2m: 4.5, wind_speed_10m: 12 } };

test("the weather of a city is structured", () => {
  const answers = [FOUND, NOW];
  const answer = () => testing.response(answers.shift());
  return testing.withHttp(answer, async (requests) => {
    const result = await testing.call(app, "weather", { city: "oslo" });
    assert.deepEqual(result.structured, { city: "Oslo", temperature: 4.5, wind: 12 });
    assert.match(requests[0].url, /name=oslo/);
    assert.match(requests[1].url, /latitude=59.9/);
  });
});

test("a city that is not there is for the model to mend", () =>
  testing.withHttp(
    () => testing.response({}),
    async () => {
      const result = await testing.call(app, "weather", { city: "Atlantis" });
      assert.ok(result.isError);
      assert.equal(result.text, "There is no city “Atlantis”.");
    },
  ));

test("the caller is named", async () => {
  const caller = testing.person("u1", { name: "Ada" });
  const result = await testing.call(app, "whoami", {}, { caller, scopes: ["userinfo"] });
  assert.equal(result.text, "You are Ada.");
  await assert.rejects(testing.call(app, "whoami", {}, { scopes: ["tools"] }), testing.MissingScopes);
});
