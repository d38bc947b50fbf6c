import unittest

import app  # noqa: F401 (its decorators register the tools)
from gatehouse import testing


class Greet(unittest.TestCase):
    def test_a_person_is_greeted(self):
        result = testing.call("greet", {"name": "Ada"}, scopes=["tools"])
        self.assertEqual(result.text, "Hello, Ada!")


if __name__ == "__main__":
    unittest.main()
