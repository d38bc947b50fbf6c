// What a client of either TypeScript SDK sees of the conformance suite's fixtures (tests/conformance).
import { check, step } from "./run.mjs";

/** What such a client can be asked, for the constructor of the client. */
export const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };

/** What it answers when it is asked, by method. */
export const ANSWERS = {
  "elicitation/create": (request) => ({
    action: "accept",
    content: Object.fromEntries(Object.keys(request.params.requestedSchema.properties).map((name) => [name, `my ${name}`])),
  }),
  "sampling/createMessage": (request) => ({
    role: "assistant",
    model: "echo",
    content: { type: "text", text: `You said: ${lastText(request.params.messages)}` },
  }),
  "roots/list": () => ({ roots: [{ uri: "file:///home/ada", name: "Home" }] }),
};

/**
 * Uses every kind of fixture with `client`, which is connected. `kit` is what differs between the SDKs: `logs` collects the
 * log messages that arrive, `askForLogs()` asks for them and gives what each call has to carry, `callTool(params, options)`
 * calls a tool, and `listen()` gives `heard`, which waits for a change of the tools.
 */
export async function useFixtures(client, kit) {
  step("reading resources");
  const { resources } = await client.listResources();
  const { resourceTemplates } = await client.listResourceTemplates();
  const read = async (uri) => (await client.readResource({ uri })).contents[0];
  const binary = await read("test://static-binary");
  const seen = {
    resources: resources.map((resource) => resource.uri),
    templates: resourceTemplates.map((template) => template.uriTemplate),
    text: (await read("test://static-text")).text,
    binary: [binary.mimeType, Buffer.from(binary.blob, "base64").subarray(1, 4).toString()],
    fromTemplate: JSON.parse((await read("test://template/7/data")).text).id,
    missing: await client.readResource({ uri: "test://missing" }).then(() => null, (error) => error.code),
  };

  step("getting prompts");
  seen.prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
  const prompt = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "one", arg2: "two" } });
  seen.prompt = prompt.messages[0].content.text;

  step("completing");
  const ref = { type: "ref/prompt", name: "test_prompt_with_arguments" };
  seen.completion = (await client.complete({ ref, argument: { name: "arg1", value: "par" } })).completion.values;

  step("watching a call");
  const carried = await kit.askForLogs();
  const call = async (name, given = {}, options = {}) => {
    const result = await kit.callTool({ name, arguments: given, ...carried }, options);
    check(!result.isError, `${name} failed: ${JSON.stringify(result.content)}`);
    return result.content[0].text;
  };
  seen.progress = [];
  const onprogress = ({ progress, total }) => seen.progress.push([progress, total]);
  await call("test_tool_with_progress", {}, { onprogress });
  await call("test_tool_with_logging");
  seen.logs = kit.logs;

  step("being asked");
  seen.elicited = await call("test_elicitation", { message: "Who are you?" });
  seen.sampled = await call("test_sampling", { prompt: "Hello" });
  seen.roots = JSON.parse(await call("test_input_required_result_list_roots"));
  seen.threeAtOnce = await call("test_input_required_result_multiple_inputs");
  seen.twoRounds = await call("test_input_required_result_multi_round");
  const asking = await client.getPrompt({ name: "test_input_required_result_prompt" });
  seen.askingPrompt = asking.messages[0].content.text;

  step("hearing of a change");
  const { heard } = await kit.listen();
  await call("test_trigger_tool_change");
  seen.changed = await heard;
  return seen;
}

function lastText(messages) {
  const { content } = messages.at(-1);
  return [content].flat()[0].text;
}
