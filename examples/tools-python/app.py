"""Units of measurement for a model: an example of a tools component.

It converts, shows how far it has come, asks which gallon is meant, and offers what it knows as
resources and a prompt. The same is in ../tools-rust and ../tools-js.
"""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.tools import *

from contract import exported, running
from units import KINDS, UNITS, Different, convert


@exported
class Tools(exports.Tools):
    async def describe(self):
        value = {"type": "number", "description": "How many"}
        number = {"type": "number"}
        template = ResourceTemplate(
            "units:{kind}", "units", "The units of a kind", None, [], "application/json", None, None
        )
        explain = Prompt(
            name="explain",
            title="Explain a unit",
            description=None,
            icons=[],
            arguments=[PromptArgument("unit", None, "Which", True)],
            scopes=["tools"],
            meta=None,
        )
        return Offer(
            server=ServerInfo("units", "Units of measurement", "1.0.0", None, [], None),
            instructions="Converts units. `units:all` lists them.",
            tools=[
                tool("convert", "Converts a value into another unit.", "value", value, number),
                tool("convert_many", "Converts many values.", "values", many(value), many(number)),
            ],
            prompts=[explain],
            resources=ResourceOffer([template], ["tools"], False),
            completes=True,
            changes=Changes(False, False, False, False),
        )

    async def call_tool(self, call):
        arguments = json.loads(call.arguments)
        pair = []
        for name in (arguments["from"], arguments["to"]):
            meant = which_unit(name, call.context)
            if not isinstance(meant, str):
                return meant
            pair.append(meant)
        source, target = pair
        try:
            if call.name == "convert":
                value = convert(arguments["value"], source, target)
                result = {"value": value, "unit": target}
                return CallResult_Done(done(f"{value:.10g} {target}", result))
            if call.name == "convert_many":
                return running(convert_many(arguments["values"], source, target))
        except Different as different:
            raise Err(Failure_InvalidArguments(str(different)))
        raise Err(Failure_NotFound())

    async def list_resources(self, caller, cursor):
        every = ListedResource(
            "units:all", "all", "All units", None, [], "application/json", None, None, None
        )
        return ResourcePage([every], None, FRESHNESS)

    async def read_resource(self, read):
        scheme, _, kind = read.uri.partition(":")
        names = [name for name, unit in UNITS.items() if kind in ("all", unit[0])]
        if scheme != "units" or not names:
            raise Err(Failure_NotFound())
        body = ResourceBody_Text(json.dumps(names))
        part = ResourceContents(read.uri, "application/json", body, None)
        return Reading_Contents(Contents([part], FRESHNESS))

    async def get_prompt(self, request):
        unit = next(argument.value for argument in request.arguments if argument.name == "unit")
        text = (
            f"What is one {unit}, and what would one measure with it? "
            "Compare it with two other units."
        )
        message = PromptMessage(Role.USER, content(text))
        return Prompting_Messages(PromptMessages(None, [message], None))

    async def complete(self, completion):
        known = KINDS if isinstance(completion.target, CompletionTarget_Resource) else UNITS
        begun = completion.argument.value
        return Suggestions([name for name in known if name.startswith(begun)], None)


def convert_many(values, source, target):
    converted = [convert(value, source, target) for value in values]
    events = [
        Event_Progress(Progress(float(count), float(len(values)), None))
        for count in range(1, len(values) + 1)
    ]
    result = done(json.dumps(converted), {"value": converted, "unit": target})
    return events + [Event_Done(result)]


def which_unit(name, context):
    """The name of the unit, or the result that ends the call for now.

    A gallon may be one of two: the person is asked, if the client can ask.
    """
    if name in UNITS:
        return name
    if name != "gallon":
        text = f"there is no unit “{name}”; the resource units:all lists them"
        raise Err(Failure_InvalidArguments(text))
    answer = next((answer for answer in context.answers if answer.id == "gallon"), None)
    chosen = answer and (json.loads(answer.result).get("content") or {}).get("gallon")
    if chosen in UNITS:
        return chosen
    if answer or not context.capabilities.elicits_forms:
        return CallResult_Done(output("Say “US gallon” or “imperial gallon”.", None, True))
    choices = {"type": "string", "title": "Gallon", "enum": ["US gallon", "imperial gallon"]}
    schema = {"type": "object", "properties": {"gallon": choices}, "required": ["gallon"]}
    params = {"message": "Which gallon?", "requestedSchema": schema}
    question = InputRequest("gallon", "elicitation/create", json.dumps(params))
    return CallResult_InputRequired(InputRequired([question], None))


def tool(name, description, field, value, result):
    unit = {"type": "string", "description": "A unit, such as mile or celsius"}
    properties = {field: value, "from": unit, "to": unit}
    results = {"value": result, "unit": {"type": "string"}}
    return Tool(
        name=name,
        title=None,
        description=description,
        icons=[],
        input_schema=schema(properties),
        output_schema=schema(results),
        annotations=ToolAnnotations(True, None, None, False),
        scopes=["tools"],
        wants_credential=False,
        tasks=TaskUse.NEVER,
        meta=None,
    )


def schema(properties):
    return json.dumps({"type": "object", "properties": properties, "required": list(properties)})


def many(items):
    return {"type": "array", "items": items, "maxItems": 1000}


def done(text, structured):
    return output(text, json.dumps(structured), False)


def output(text, structured, is_error):
    return Output([content(text)], structured, is_error, None)


def content(text):
    return Content(ContentBody_Text(text), None, None)


# Units do not change from one hour to the next, nor from one person to another.
FRESHNESS = Freshness(3_600_000, True)
