"""The official Python SDK with the conformance suite's fixtures (tests/conformance), over Streamable HTTP.

Prints what it saw as one line of JSON.
"""

import argparse
import base64
import json
from typing import Any

import anyio
from mcp import Client, types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError

from lib.run import check, run, step
from lib.sign_in import SignIn


class Host:
    """What the SDK asks of an application that can be asked something."""

    def __init__(self) -> None:
        self.logs: list[Any] = []
        self.changed = anyio.Event()

    async def elicit(self, _context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        names = params.requested_schema["properties"]
        return types.ElicitResult(action="accept", content={name: f"my {name}" for name in names})

    async def sample(self, _context: Any, params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        said = params.messages[-1].content.text
        content = types.TextContent(type="text", text=f"You said: {said}")
        return types.CreateMessageResult(role="assistant", model="echo", content=content)

    async def roots(self, _context: Any) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri="file:///home/ada", name="Home")])

    async def log(self, params: types.LoggingMessageNotificationParams) -> None:
        self.logs.append(params.data)

    async def message(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.changed.set()


async def use(options: argparse.Namespace) -> dict[str, Any]:
    host = Host()
    step("connecting, which asks for a sign-in")
    async with create_mcp_http_client(auth=SignIn(options.url).provider) as http:
        transport = streamable_http_client(options.url, http_client=http)
        async with Client(
            transport,
            mode=options.mode,
            elicitation_callback=host.elicit,
            sampling_callback=host.sample,
            list_roots_callback=host.roots,
            logging_callback=host.log,
            message_handler=host.message,
            log_level="debug",
        ) as client:
            return await see(client, host, options.mode == "legacy")


async def see(client: Client, host: Host, is_legacy: bool) -> dict[str, Any]:
    step("reading resources")
    binary = await read(client, "test://static-binary")
    seen: dict[str, Any] = {
        "protocol": client.protocol_version,
        "resources": [str(resource.uri) for resource in (await client.list_resources()).resources],
        "templates": [template.uri_template for template in (await client.list_resource_templates()).resource_templates],
        "text": (await read(client, "test://static-text")).text,
        "binary": [binary.mime_type, base64.b64decode(binary.blob)[1:4].decode()],
        "fromTemplate": json.loads((await read(client, "test://template/7/data")).text)["id"],
        "missing": await missing(client),
    }

    step("getting prompts")
    seen["prompts"] = [prompt.name for prompt in (await client.list_prompts()).prompts]
    prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "two"})
    seen["prompt"] = prompt.messages[0].content.text

    step("completing")
    reference = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
    completed = await client.complete(reference, {"name": "arg1", "value": "par"})
    seen["completion"] = completed.completion.values

    step("watching a call")
    seen["progress"] = []

    async def progressed(progress: float, total: float | None, _message: str | None) -> None:
        seen["progress"].append([progress, total])

    if is_legacy:
        await client.set_logging_level("debug")
    await call(client, "test_tool_with_progress", progress_callback=progressed)
    await call(client, "test_tool_with_logging")
    seen["logs"] = host.logs

    step("being asked")
    seen["elicited"] = await call(client, "test_elicitation", {"message": "Who are you?"})
    seen["sampled"] = await call(client, "test_sampling", {"prompt": "Hello"})
    seen["roots"] = json.loads(await call(client, "test_input_required_result_list_roots"))
    seen["threeAtOnce"] = await call(client, "test_input_required_result_multiple_inputs")
    seen["twoRounds"] = await call(client, "test_input_required_result_multi_round")
    asking = await client.get_prompt("test_input_required_result_prompt")
    seen["askingPrompt"] = asking.messages[0].content.text

    step("hearing of a change")
    if is_legacy:
        await call(client, "test_trigger_tool_change")
        await host.changed.wait()
    else:
        async with client.listen(tools_list_changed=True) as subscription:
            await call(client, "test_trigger_tool_change")
            async for _ in subscription:
                break
    seen["changed"] = True
    return seen


async def read(client: Client, uri: str) -> Any:
    return (await client.read_resource(uri)).contents[0]


async def missing(client: Client) -> int | None:
    try:
        await client.read_resource("test://missing")
    except MCPError as error:
        return error.code
    return None


async def call(client: Client, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> str:
    result = await client.call_tool(name, arguments or {}, **options)
    text = result.content[0].text
    check(not result.is_error, f"{name} failed: {text}")
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--mode", default="auto", help="auto, legacy, or a revision to insist on")
    run(use, parser.parse_args())
