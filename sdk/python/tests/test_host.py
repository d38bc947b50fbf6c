import json
import os
import unittest
from dataclasses import dataclass
from unittest import mock

from gatehouse import Caller, KeyValueError, VariableError, key_value, testing, variable
from gatehouse import _host_native
from gatehouse._app import server

from support import fresh

VISITS = key_value("visits")


@dataclass
class Visits:
    count: int


class Variables(unittest.IsolatedAsyncioTestCase):
    async def test_a_variable_is_what_the_test_gives_and_there_are_no_others(self):
        with mock.patch.dict(os.environ, SPIN_VARIABLE_OTHER="x"), testing.variables(api_key="secret"):
            self.assertEqual(await variable("api_key"), "secret")
            with self.assertRaisesRegex(VariableError, r"testing\.variables\(other=\.\.\.\)"):
                await variable("other")

    async def test_elsewhere_a_variable_is_one_of_the_environment(self):
        with mock.patch.dict(os.environ, SPIN_VARIABLE_API_KEY="secret"):
            self.assertEqual(await variable("api_key"), "secret")
        with self.assertRaisesRegex(VariableError, "SPIN_VARIABLE_API_KEY in the environment"):
            await variable("api_key")


class Stores(unittest.IsolatedAsyncioTestCase):
    async def test_a_key_is_written_read_and_deleted(self):
        with testing.stores(visits={"a": {"count": 1}, "b": b"\xff"}) as stores:
            self.assertEqual(await VISITS.get_json("a"), {"count": 1})
            self.assertEqual((await VISITS.get("b"), await VISITS.get_text("b")), (b"\xff", "\ufffd"))
            await VISITS.set("b", "Tromsø")
            self.assertEqual(await VISITS.get_text("b"), "Tromsø")
            await VISITS.set_json("c", Visits(2))
            self.assertEqual(json.loads(stores["visits"]["c"]), {"count": 2})
            self.assertTrue(await VISITS.exists("a"))
            await VISITS.delete("a")
            await VISITS.delete("a")
            self.assertFalse(await VISITS.exists("a"))
            self.assertEqual([await VISITS.get("a"), await VISITS.get_text("a"), await VISITS.get_json("a")], [None] * 3)

    async def test_a_store_that_the_test_does_not_give_is_not_there(self):
        with testing.stores(other={}), self.assertRaisesRegex(KeyValueError, r"testing\.stores\(visits={}\)"):
            await VISITS.get("a")

    async def test_a_value_that_is_no_json_is_an_error_without_the_value(self):
        with testing.stores(visits={"a": "secret"}), self.assertRaises(KeyValueError) as raised:
            await VISITS.get_json("a")
        self.assertEqual(str(raised.exception), "the value of 'a' in the store 'visits' is no JSON")

    async def test_elsewhere_a_store_is_one_of_this_process(self):
        self.addCleanup(_host_native._stores.clear)
        await key_value("elsewhere").set("a", "1")
        self.assertEqual(await key_value("elsewhere").get("a"), b"1")
        self.assertIsNone(await VISITS.get("a"))


class Tools(unittest.TestCase):
    def test_a_store_keeps_its_values_from_call_to_call(self):
        fresh(self)

        @server.tool
        async def visit(caller: Caller) -> Visits:
            """Counts the calls of each person."""
            known = await VISITS.get_json(caller.subject) or {"count": 0}
            visits = Visits(known["count"] + 1)
            await VISITS.set_json(caller.subject, visits)
            return visits

        with testing.stores(visits={}):
            counts = [testing.call("visit", caller=testing.person(each)).structured["count"] for each in ("a", "a", "b")]
        self.assertEqual(counts, [1, 2, 1])


if __name__ == "__main__":
    unittest.main()
