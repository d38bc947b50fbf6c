import unittest
from typing import Annotated, Literal

from gatehouse import Complete, Context, Message, NotFound, ResourceContents, testing
from gatehouse._app import server

from support import fresh


class Resources(unittest.TestCase):
    def setUp(self):
        fresh(self)

    def test_texts_bytes_and_json_are_contents(self):
        server.resource("a:text", mime_type="text/plain")(lambda: "words")
        server.resource("a:bytes")(lambda: b"\x00")
        server.resource("a:json")(lambda: ["one"])
        server.resource("a:parts")(lambda: [ResourceContents("a:1", "1"), ResourceContents("a:2", "2")])
        self.assertEqual(testing.read("a:text"), [ResourceContents("a:text", "words", "text/plain")])
        self.assertEqual(testing.read("a:bytes"), [ResourceContents("a:bytes", b"\x00")])
        self.assertEqual(testing.read("a:json"), [ResourceContents("a:json", '["one"]', "application/json")])
        self.assertEqual([part.uri for part in testing.read("a:parts")], ["a:1", "a:2"])

    def test_variables_of_a_template_are_arguments(self):
        @server.resource_template("files:{owner}/{+path}")
        async def file(owner: str, path: str, context: Context) -> str:
            return f"{path} of {owner}, for {context.caller.subject}"

        self.assertEqual(testing.read("files:ada/notes/a%20b.txt")[0].body, "notes/a b.txt of ada, for ada")
        for unknown in ("files:ada", "others:ada/x"):
            with self.assertRaises(NotFound):
                testing.read(unknown)

    def test_a_template_whose_variables_are_not_the_arguments_is_refused(self):
        for template in ("files:{other}", "files:{?name}", "files:"):
            with self.assertRaises((TypeError, ValueError)):

                @server.resource_template(template)
                def file(name: str) -> str:
                    return name

    def test_a_resource_goes_before_a_template(self):
        server.resource("units:all")(lambda: "all")

        @server.resource_template("units:{kind}")
        def units(kind: str) -> str:
            return kind

        self.assertEqual(testing.read("units:all")[0].body, "all")
        self.assertEqual(testing.read("units:mass")[0].body, "mass")


class Prompts(unittest.TestCase):
    def setUp(self):
        fresh(self)

    def test_a_prompt_is_a_text_or_messages(self):
        @server.prompt
        def explain(unit: Annotated[str, "Which"], style: Literal["long", "short"] = "long") -> str:
            """Explains a unit."""
            return f"Explain {unit}, {style}."

        @server.prompt(name="talk")
        def talk_about(topic: str) -> list:
            return [f"Let us talk about {topic}.", Message("Gladly.", "assistant")]

        self.assertEqual(testing.prompt("explain", {"unit": "mile"}), [Message("Explain mile, long.")])
        roles = [message.role for message in testing.prompt("talk", {"topic": "x"})]
        self.assertEqual(roles, ["user", "assistant"])

    def test_an_argument_that_is_no_text_is_refused(self):
        with self.assertRaises(TypeError):

            @server.prompt
            def explain(count: int) -> str:
                return str(count)

    def test_arguments_are_completed_by_their_values_or_a_function(self):
        @server.prompt
        def explain(
            unit: Annotated[str, Complete(["mile", "metre", "foot"])],
            style: Literal["long", "short"],
            word: Annotated[str, Complete(lambda begun: [begun + "s"])],
            free: str,
        ) -> str:
            return unit

        self.assertTrue(server.completes)
        self.assertEqual(testing.complete("explain", "unit", "m"), ["mile", "metre"])
        self.assertEqual(testing.complete("explain", "style", "s"), ["short"])
        self.assertEqual(testing.complete("explain", "word", "foot"), ["foots"])
        self.assertEqual(testing.complete("explain", "free", "x"), [])
        self.assertEqual(testing.complete("nothing", "free", "x"), [])


if __name__ == "__main__":
    unittest.main()
