// Units of measurement for a model: an example of a tools component.
//
// It converts, shows how far it has come, asks which gallon is meant, and offers what it knows as
// resources and a prompt. The same is in ../tools-rust and ../tools-python.
//
// main.js and portable.js make it a component of wit/tools and of wit/portable/tools.wit.

// Name: kind, factor, shift. What is measured in a unit is worth (value + shift) * factor in the
// first of its kind.
const UNITS = {
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
const KINDS = ["length", "mass", "volume", "temperature"];

const notFound = { tag: "not-found" };
const invalidArguments = (text) => ({ tag: "invalid-arguments", val: text });

export const tools = {
  describe() {
    const value = { type: "number", description: "How many" };
    const number = { type: "number" };
    const values = (items) => ({ type: "array", items, maxItems: 1000 });
    return {
      server: { name: "units", title: "Units of measurement", version: "1.0.0", icons: [] },
      instructions: "Converts units. `units:all` lists them.",
      tools: [
        tool("convert", "Converts a value into another unit.", "value", value, number),
        tool("convert_many", "Converts many values.", "values", values(value), values(number)),
      ],
      prompts: [
        {
          name: "explain",
          title: "Explain a unit",
          icons: [],
          arguments: [{ name: "unit", description: "Which", required: true }],
          scopes: ["tools"],
        },
      ],
      resources: {
        templates: [
          {
            uriTemplate: "units:{kind}",
            name: "units",
            title: "The units of a kind",
            icons: [],
            mimeType: "application/json",
          },
        ],
        scopes: ["tools"],
        wantsCredential: false,
      },
      completes: true,
      changes: { tools: false, prompts: false, resources: false, resourceContents: false },
    };
  },

  callTool(call) {
    const given = JSON.parse(call.arguments);
    const pair = [];
    for (const name of [given.from, given.to]) {
      const meant = whichUnit(name, call.context);
      if (meant.result) return meant.result;
      pair.push(meant.unit);
    }
    const [from, to] = pair;
    switch (call.name) {
      case "convert": {
        const value = convert(given.value, from, to);
        return done(`${value} ${to}`, { value, unit: to });
      }
      case "convert_many":
        // What cannot be converted is refused here: a call that runs can no longer fail.
        convert(0, from, to);
        return { tag: "running", val: convertMany(given.values, from, to) };
      default:
        throw notFound;
    }
  },

  listResources() {
    const all = { uri: "units:all", name: "all", title: "All units", icons: [], mimeType: "application/json" };
    return { resources: [all], freshness: FRESHNESS };
  },

  readResource({ uri }) {
    const kind = uri.startsWith("units:") ? uri.slice("units:".length) : "";
    const names = Object.keys(UNITS).filter((name) => kind === "all" || kind === UNITS[name][0]);
    if (names.length === 0) throw notFound;
    const body = { tag: "text", val: JSON.stringify(names) };
    return {
      tag: "contents",
      val: { parts: [{ uri, mimeType: "application/json", body }], freshness: FRESHNESS },
    };
  },

  getPrompt(request) {
    const unit = request.arguments.find((argument) => argument.name === "unit").value;
    const text = `What is one ${unit}, and what would one measure with it? Compare it with two other units.`;
    return { tag: "messages", val: { messages: [{ role: "user", content: content(text) }] } };
  },

  complete({ target, argument }) {
    const known = target.tag === "prompt" ? Object.keys(UNITS) : KINDS;
    return { values: known.filter((name) => name.startsWith(argument.value)) };
  },
};

function convert(value, from, to) {
  const [kind, factor, shift] = UNITS[from];
  const [otherKind, otherFactor, otherShift] = UNITS[to];
  if (kind !== otherKind) throw invalidArguments(`${from} is ${kind}, and ${to} is ${otherKind}`);
  // Ten digits are more than anybody measures, and hide what binary fractions cannot say.
  return Number((((value + shift) * factor) / otherFactor - otherShift).toPrecision(10));
}

function* convertMany(values, from, to) {
  const converted = [];
  for (const value of values) {
    converted.push(convert(value, from, to));
    yield { tag: "progress", val: { progress: converted.length, total: values.length } };
  }
  yield done(JSON.stringify(converted), { value: converted, unit: to });
}

// The unit of this name. A gallon may be one of two: the person is asked, if the client can ask.
function whichUnit(name, { answers, capabilities }) {
  if (Object.hasOwn(UNITS, name)) return { unit: name };
  if (name !== "gallon") {
    throw invalidArguments(`there is no unit “${name}”; the resource units:all lists them`);
  }
  const answer = answers.find((answer) => answer.id === "gallon");
  const chosen = answer && JSON.parse(answer.result).content?.gallon;
  if (chosen && Object.hasOwn(UNITS, chosen)) return { unit: chosen };
  if (answer || !capabilities.elicitsForms) {
    return { result: { tag: "done", val: output("Say “US gallon” or “imperial gallon”.", undefined, true) } };
  }
  const choices = { type: "string", title: "Gallon", enum: ["US gallon", "imperial gallon"] };
  const params = {
    message: "Which gallon?",
    requestedSchema: { type: "object", properties: { gallon: choices }, required: ["gallon"] },
  };
  const question = { id: "gallon", method: "elicitation/create", params: JSON.stringify(params) };
  return { result: { tag: "input-required", val: { requests: [question] } } };
}

function tool(name, description, field, value, result) {
  const unit = { type: "string", description: "A unit, such as mile or celsius" };
  const input = {
    type: "object",
    properties: { [field]: value, from: unit, to: unit },
    required: [field, "from", "to"],
  };
  const output = {
    type: "object",
    properties: { value: result, unit: { type: "string" } },
    required: ["value", "unit"],
  };
  return {
    name,
    description,
    icons: [],
    inputSchema: JSON.stringify(input),
    outputSchema: JSON.stringify(output),
    annotations: { readOnly: true, openWorld: false },
    scopes: ["tools"],
    wantsCredential: false,
    tasks: "never",
  };
}

function done(text, structured) {
  return { tag: "done", val: output(text, JSON.stringify(structured), false) };
}

function output(text, structured, isError) {
  return { content: [content(text)], structured, isError };
}

function content(text) {
  return { body: { tag: "text", val: text } };
}

// Units do not change from one hour to the next, nor from one person to another.
const FRESHNESS = { ttl: 3_600_000, shared: true };
