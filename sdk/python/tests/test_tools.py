import enum
import json
import unittest
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

from gatehouse import (
    Caller,
    Context,
    Credential,
    Field,
    Image,
    ResourceLink,
    Text,
    ToolError,
    ToolResult,
    testing,
)
from gatehouse._app import server

from support import fresh


class Unit(enum.Enum):
    METRE = "m"
    FOOT = "ft"


@dataclass
class Point:
    x: float
    y: float = 0.0
    from_: Annotated[str, "Where from"] = "here"


class Options(TypedDict):
    deep: bool


class Schemas(unittest.TestCase):
    def setUp(self):
        fresh(self)

    def test_type_hints_are_the_input_schema(self):
        @server.tool
        def measure(
            name: str,
            count: Annotated[int, Field("How many", ge=1, le=9)],
            unit: Unit,
            mode: Literal["fast", "slow"],
            at: Point,
            options: Options,
            tags: Annotated[list[str], Field(max_length=3)],
            more: dict[str, int],
            from_: Annotated[str | None, "Where from"] = None,
            ratio: float = 0.5,
            anything: Any = None,
        ) -> str:
            """Measures."""
            return name

        tool = server.tools["measure"]
        self.assertEqual(tool.description, "Measures.")
        self.assertIsNone(tool.output_schema)
        self.assertEqual(
            tool.input_schema,
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "count": {"type": "integer", "description": "How many", "minimum": 1, "maximum": 9},
                    "unit": {"type": "string", "enum": ["m", "ft"]},
                    "mode": {"type": "string", "enum": ["fast", "slow"]},
                    "at": {
                        "type": "object",
                        "properties": {
                            "x": {"type": "number"},
                            "y": {"type": "number", "default": 0.0},
                            "from": {"type": "string", "description": "Where from", "default": "here"},
                        },
                        "required": ["x"],
                    },
                    "options": {
                        "type": "object",
                        "properties": {"deep": {"type": "boolean"}},
                        "required": ["deep"],
                    },
                    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
                    "more": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "from": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Where from"},
                    "ratio": {"type": "number", "default": 0.5},
                    "anything": {},
                },
                "required": ["name", "count", "unit", "mode", "at", "options", "tags", "more"],
            },
        )

    def test_arguments_arrive_as_the_types_say(self):
        seen = {}

        @server.tool
        def measure(unit: Unit, at: Point, points: list[Point], count: int, from_: str | None = None) -> None:
            seen.update(locals())

        arguments = {"unit": "ft", "at": {"x": 1, "from": "there"}, "points": [{"x": 2}], "count": 3.0}
        testing.call("measure", arguments)
        self.assertEqual(seen["unit"], Unit.FOOT)
        self.assertEqual(seen["at"], Point(1.0, 0.0, "there"))
        self.assertEqual(seen["points"], [Point(2.0)])
        self.assertIs(type(seen["count"]), int)
        self.assertIsNone(seen["from_"])

    def test_arguments_that_do_not_fit_never_reach_the_tool(self):
        @server.tool
        def measure(unit: Unit, at: Point, count: int = 1) -> None:
            self.fail("it was called")

        fitting = {"unit": "m", "at": {"x": 1}}
        for change, why in [
            ({"unit": "mile"}, "`unit` has to be one of 'm', 'ft'"),
            ({"at": {}}, "`at.x` is missing"),
            ({"at": {"x": "1"}}, "`at.x` has to be a number"),
            ({"at": []}, "`at` has to be an object"),
            ({"count": True}, "`count` has to be an integer"),
            ({"count": 1.5}, "`count` has to be an integer"),
        ]:
            result = testing.call("measure", fitting | change)
            self.assertTrue(result.is_error)
            self.assertEqual(result.text, why)

    def test_what_cannot_be_a_schema_is_refused_where_it_is_written(self):
        with self.assertRaises(TypeError):

            @server.tool
            def takes_an_object(value: object) -> str:
                return ""

        with self.assertRaises(TypeError):

            @server.tool
            def takes_anything(*values: str) -> str:
                return ""

        with self.assertRaises(ValueError):

            @server.tool(name="two words")
            def two_words() -> str:
                return ""

    def test_two_tools_of_one_name_are_refused(self):
        server.tool(name="same")(lambda: "")
        with self.assertRaises(ValueError):
            server.tool(name="same")(lambda: "")


class Results(unittest.TestCase):
    def setUp(self):
        fresh(self)

    def test_a_text_is_a_text(self):
        @server.tool
        def greet(name: str) -> str:
            return f"Hello, {name}!"

        result = testing.call("greet", {"name": "Ada"})
        self.assertEqual(result.content, [Text("Hello, Ada!")])
        self.assertIsNone(result.structured)

    def test_a_dataclass_or_a_dict_is_structured_content_with_a_schema(self):
        @server.tool
        def point() -> Point:
            return Point(1)

        @server.tool
        def counts() -> dict[str, int]:
            return {"a": 1}

        self.assertEqual(testing.call("point").structured, {"x": 1, "y": 0.0, "from": "here"})
        self.assertEqual(json.loads(testing.call("point").text), {"x": 1, "y": 0.0, "from": "here"})
        self.assertEqual(server.tools["point"].output_schema["required"], ["x"])
        self.assertEqual(testing.call("counts").structured, {"a": 1})
        self.assertEqual(
            server.tools["counts"].output_schema, {"type": "object", "additionalProperties": {"type": "integer"}}
        )

    def test_a_result_may_have_a_text_of_its_own(self):
        @server.tool
        def point() -> ToolResult[Point]:
            return ToolResult(Point(1), "one to the right")

        result = testing.call("point")
        self.assertEqual(result.text, "one to the right")
        self.assertEqual(result.structured["x"], 1)
        self.assertIn("x", server.tools["point"].output_schema["properties"])

    def test_contents_of_other_kinds_are_passed_on(self):
        @server.tool
        def picture() -> list:
            return ["a picture", Image(b"\x89PNG"), ResourceLink("units:all", "all")]

        kinds = [type(part) for part in testing.call("picture").content]
        self.assertEqual(kinds, [Text, Image, ResourceLink])
        self.assertIsNone(server.tools["picture"].output_schema)

    def test_other_values_are_json(self):
        @server.tool
        def numbers() -> list[int]:
            return [1, 2]

        self.assertEqual(testing.call("numbers").content, [Text("[1, 2]")])

    def test_a_tool_error_is_for_the_model_and_others_are_raised(self):
        @server.tool
        def fails(kind: str) -> str:
            raise ToolError("Say which.") if kind == "mine" else KeyError("secret")

        result = testing.call("fails", {"kind": "mine"})
        self.assertTrue(result.is_error)
        self.assertEqual(result.text, "Say which.")
        with self.assertRaises(KeyError):
            testing.call("fails", {"kind": "another"})


class Contexts(unittest.TestCase):
    def setUp(self):
        fresh(self)

    def test_the_caller_and_the_context_are_no_arguments(self):
        @server.tool
        def whoami(who: Caller, context: Context) -> str:
            assert context.caller is who
            return f"{who.profile.name} ({who.subject})"

        self.assertEqual(server.tools["whoami"].input_schema, {"type": "object", "properties": {}})
        ada = testing.person("u1", name="Ada")
        self.assertEqual(testing.call("whoami", caller=ada).text, "Ada (u1)")

    def test_a_call_without_the_scopes_is_refused(self):
        @server.tool(scopes=["read", "write"])
        def change(caller: Caller) -> str:
            return " ".join(caller.scopes)

        self.assertEqual(testing.call("change").text, "read write")
        self.assertEqual(testing.call("change", scopes=["write", "read", "more"]).text, "write read more")
        with self.assertRaises(testing.MissingScopes):
            testing.call("change", scopes=["read"])

    def test_a_parameter_for_the_credential_asks_for_it(self):
        @server.tool
        def with_token(credential: Credential) -> str:
            return credential.token

        @server.tool
        def perhaps(credential: Credential | None) -> str:
            return str(credential)

        @server.tool
        def without(context: Context) -> str:
            return str(context.credential)

        wants = {name: tool.handler.wants_credential for name, tool in server.tools.items()}
        self.assertEqual(wants, {"with_token": True, "perhaps": True, "without": False})
        self.assertEqual(testing.call("with_token", credential="abc").text, "abc")
        missing = testing.call("with_token")
        self.assertTrue(missing.is_error)
        self.assertIn("sign in again", missing.text)
        self.assertEqual(testing.call("perhaps").text, "None")
        self.assertEqual(testing.call("without", credential="abc").text, "None")

    def test_a_credential_shows_itself_in_no_text(self):
        credential = Credential("abc")
        self.assertNotIn("abc", f"{credential} {credential!r}")

    def test_progress_and_log_are_recorded_from_plain_and_async_functions(self):
        @server.tool
        def plainly(context: Context) -> str:
            context.progress(1, 2, "half")
            context.log({"at": 1}, "warning")
            return "done"

        @server.tool
        async def slowly(context: Context) -> str:
            await context.progress(1, 2, "half")
            await context.log({"at": 1}, "warning")
            return "done"

        for name in ("plainly", "slowly"):
            result = testing.call(name)
            self.assertEqual([(each.progress, each.message) for each in result.progress], [(1, "half")])
            self.assertEqual([(each.level, each.data) for each in result.logs], [("warning", {"at": 1})])

    def test_changes_that_are_announced_are_recorded(self):
        server.configure("changing", changes=["tools", "resource_contents"])

        @server.tool
        async def change(context: Context) -> str:
            await context.changed("tools")
            await context.resource_changed("units:all")
            return "done"

        @server.tool
        def surprise(context: Context) -> str:
            context.changed("prompts")
            return "done"

        changed = testing.call("change").changed
        self.assertEqual([(each.what, each.uri) for each in changed], [("tools", None), ("resource_contents", "units:all")])
        with self.assertRaisesRegex(ValueError, r"changes=\['prompts'\]"):
            testing.call("surprise")
        with self.assertRaisesRegex(ValueError, "'tool'"):
            server.configure("changing", changes=["tool"])

    def test_what_the_client_does_not_want_is_not_reported(self):
        context = Context(testing.person(), log_level="error")
        context.progress(1)
        context.log("quiet", "warning")
        self.assertEqual(context.events, [])
        context.log("loud", "critical")
        self.assertEqual([event.data for event in context.events], ["loud"])


@dataclass
class Address:
    street: str
    city: str = "Oslo"
    floors: list[int] = field(default_factory=list)


class Questions(unittest.TestCase):
    def setUp(self):
        fresh(self)
        self.runs = []

        @server.tool
        def deliver(context: Context) -> str:
            self.runs.append(1)
            size = context.ask("How large?", Literal["small", "large"], name="size")
            if size is None:
                raise ToolError("Say the size.")
            address = context.ask("Where to?", Address)
            return f"{size} to {address.street}, {address.city}"

    def test_each_answer_runs_the_tool_again_with_all_answers(self):
        answers = {"size": "large", "question-2": {"street": "Main Street 1"}}
        result = testing.call("deliver", answers=answers)
        self.assertEqual(result.text, "large to Main Street 1, Oslo")
        self.assertEqual(len(self.runs), 3)
        size, address = result.questions
        self.assertEqual(
            size.params["requestedSchema"],
            {
                "type": "object",
                "properties": {"size": {"type": "string", "enum": ["small", "large"], "title": "Size"}},
                "required": ["size"],
            },
        )
        self.assertEqual(address.params["requestedSchema"]["required"], ["street"])

    def test_who_declines_or_cannot_be_asked_has_no_answer(self):
        for answers in ({"size": testing.DECLINE}, None):
            result = testing.call("deliver", answers=answers)
            self.assertTrue(result.is_error)
            self.assertEqual(result.text, "Say the size.")

    def test_a_question_without_an_answer_fails_the_test(self):
        with self.assertRaisesRegex(LookupError, "question-2"):
            testing.call("deliver", answers={"size": "large"})

    def test_a_question_is_no_exception_that_a_tool_catches(self):
        @server.tool
        async def careful(context: Context) -> str:
            try:
                return str(context.ask("How many?", int, name="count"))
            except Exception:
                return "caught"

        self.assertEqual(testing.call("careful", answers={"count": 3}).text, "3")


if __name__ == "__main__":
    unittest.main()
