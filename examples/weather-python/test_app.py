import unittest

import app  # noqa: F401 (its decorators register the tools)
from gatehouse import testing

FOUND = {"results": [{"name": "Oslo", "latitude": 59.9, "longitude": 10.7}]}
NOW = {"current": {"temperature_2m": 4.5, "wind_speed_10m": 12.0}}


class Weather(unittest.TestCase):
    def test_the_weather_of_a_city_is_structured(self):
        answers = iter([FOUND, NOW])
        with testing.http(lambda request: testing.response(next(answers))) as requests:
            result = testing.call("weather", {"city": "oslo"})
        self.assertEqual(result.structured, {"city": "Oslo", "temperature": 4.5, "wind": 12.0})
        self.assertIn("name=oslo", requests[0].url)
        self.assertIn("latitude=59.9", requests[1].url)

    def test_a_city_that_is_not_there_is_for_the_model_to_mend(self):
        with testing.http(lambda request: testing.response({})):
            result = testing.call("weather", {"city": "Atlantis"})
        self.assertTrue(result.is_error)
        self.assertEqual(result.text, "There is no city “Atlantis”.")


class Whoami(unittest.TestCase):
    def test_the_caller_is_named(self):
        ada = testing.person(name="Ada")
        self.assertEqual(testing.call("whoami", caller=ada, scopes=["userinfo"]).text, "You are Ada.")
        with self.assertRaises(testing.MissingScopes):
            testing.call("whoami", scopes=["tools"])


if __name__ == "__main__":
    unittest.main()
