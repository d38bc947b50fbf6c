"""The commands `python -m gatehouse build` and `python -m gatehouse call`."""

import argparse
import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from ._app import server
from ._build import BuildError, build
from ._calls import Paused, Run
from ._context import Caller, Capabilities, Changed, Context, Credential, Progress, Question
from ._errors import ToolError
from ._results import tool_output
from ._server import Tool


def main(arguments: list[str] | None = None) -> int:
    options, rest = _parser().parse_known_args(arguments)
    if options.command == "build":
        if rest:
            print(f"unknown: {' '.join(rest)}", file=sys.stderr)
            return 2
        try:
            build(options.app, options.output or options.app.with_suffix(".wasm"), portable=options.portable)
        except BuildError as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    load(options.app)
    tool = server.tools.get(options.tool)
    if tool is None:
        print(f"There is no tool {options.tool}. There are: {', '.join(server.tools)}", file=sys.stderr)
        return 2
    return asyncio.run(_call(tool, options, rest))


def load(app: Path) -> None:
    """Imports an app, whose decorators register what it offers."""
    sys.path.insert(0, str(app.resolve().parent))
    importlib.import_module(app.stem)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gatehouse", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="make a component of an app", allow_abbrev=False)
    building.add_argument("app", type=Path, help="such as app.py")
    building.add_argument("-o", "--output", type=Path, help="the component; app.wasm by default")
    building.add_argument("--portable", action="store_true", help="for hosts of WASI 0.2")
    calling = commands.add_parser(
        "call",
        help="call a tool here, without a server",
        usage="%(prog)s [--subject SUBJECT] [--credential TOKEN] app.py TOOL [--ARGUMENT VALUE ...]",
        allow_abbrev=False,
    )
    calling.add_argument("--subject", default="you", help="whom the tool sees as its caller")
    calling.add_argument("--credential", help="the person's token, for tools that want it")
    calling.add_argument("app", type=Path)
    calling.add_argument("tool")
    return parser


async def _call(tool: Tool, options: argparse.Namespace, words: list[str]) -> int:
    answered: dict[str, dict[str, Any]] = {}
    state = None
    can_ask = sys.stdin.isatty()
    while True:
        context = Context(
            Caller(options.subject, scopes=tuple(tool.scopes)),
            capabilities=Capabilities(elicits_forms=can_ask),
            wants_progress=True,
            log_level="debug",
            credential=Credential(options.credential) if options.credential else None,
            answers=answered,
            state=state,
        )
        try:
            run = tool.handler.start(_arguments(tool.input_schema, words), context)
        except ToolError as error:
            print(error, file=sys.stderr)
            return 2
        await _report(run)
        if not isinstance(run.end, Paused):
            break
        state = run.end.state
        answered = {run.end.question.id: _ask(run.end.question)}
    output = tool_output(run.end)
    if output.is_error:
        print(output.text, file=sys.stderr)
        return 1
    structured = output.structured
    print(output.text if structured is None else json.dumps(structured, indent=2, ensure_ascii=False))
    return 0


async def _report(run: Run) -> None:
    while True:
        for event in run.take_events():
            if isinstance(event, Progress):
                of = "" if event.total is None else f"/{event.total:g}"
                print(f"{event.progress:g}{of} {event.message or ''}".rstrip(), file=sys.stderr)
            elif isinstance(event, Changed):
                print(f"changed: {event.uri or event.what}", file=sys.stderr)
            else:
                print(f"{event.level}: {event.data}", file=sys.stderr)
        if run.end is not None:
            return
        await run.step()


def _ask(question: Question) -> dict[str, Any]:
    print(question.params.get("message", question.method), file=sys.stderr)
    content = {}
    for name, schema in question.params.get("requestedSchema", {}).get("properties", {}).items():
        choices = f" ({', '.join(map(str, schema['enum']))})" if "enum" in schema else ""
        try:
            answer = input(f"{schema.get('title', name)}{choices}: ")
        except EOFError:
            return {"action": "cancel"}
        content[name] = _value(schema, answer)
    return {"action": "accept", "content": content}


def _arguments(schema: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """Reads `--city Oslo --days 3`. Values of other types than texts are JSON."""
    arguments: dict[str, Any] = {}
    rest = list(words)
    while rest:
        name, is_joined, value = rest.pop(0).partition("=")
        key = name.removeprefix("--")
        member = schema["properties"].get(key) or schema["properties"].get(key.replace("-", "_"))
        if not name.startswith("--") or member is None:
            known = ", ".join(f"--{each}" for each in schema["properties"])
            raise ToolError(f"{name} is no argument of the tool. It takes: {known or 'no arguments'}")
        key = key if key in schema["properties"] else key.replace("-", "_")
        if not is_joined:
            is_flag = member.get("type") == "boolean" and (not rest or rest[0].startswith("--"))
            if not is_flag and not rest:
                raise ToolError(f"{name} needs a value")
            value = "true" if is_flag else rest.pop(0)
        arguments[key] = _value(member, value)
    return arguments


def _value(schema: dict[str, Any], text: str) -> Any:
    if schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main())
