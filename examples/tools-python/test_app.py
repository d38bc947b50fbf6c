import unittest

import app
from gatehouse import testing


class Units(unittest.TestCase):
    def test_a_value_is_converted(self):
        result = testing.call("convert", {"value": 26.2, "from": "mile", "to": "kilometre"})
        self.assertEqual(result.structured, {"value": 42.1648128, "unit": "kilometre"})
        self.assertEqual(result.text, "42.1648128 kilometre")

    def test_progress_is_reported_for_each_of_many_values(self):
        result = testing.call("convert_many", {"values": [1, 2.5], "from": "kilometre", "to": "metre"})
        self.assertEqual(result.structured["value"], [1000, 2500])
        self.assertEqual([(report.progress, report.total) for report in result.progress], [(1, 2), (2, 2)])

    def test_the_person_is_asked_which_gallon_is_meant(self):
        arguments = {"value": 1, "from": "gallon", "to": "litre"}
        for gallon, litres in [("US gallon", 3.785411784), ("imperial gallon", 4.54609)]:
            result = testing.call("convert", arguments, answers={"gallon": gallon})
            self.assertEqual(result.structured["value"], litres)
        for answers in ({"gallon": testing.DECLINE}, None):
            result = testing.call("convert", arguments, answers=answers)
            self.assertTrue(result.is_error)
            self.assertEqual(result.text, "Say “US gallon” or “imperial gallon”.")

    def test_a_gallon_is_the_one_that_the_person_prefers_or_else_the_operator(self):
        arguments = {"value": 1, "from": "gallon", "to": "litre"}
        with testing.stores(units={}), testing.variables(gallon="imperial gallon"):
            self.assertEqual(testing.call("convert", arguments).structured["value"], 4.54609)
            said = testing.call("prefer", {"gallon": "US gallon"}).text
            self.assertEqual(said, "A gallon is the US gallon from now on.")
            self.assertEqual(testing.call("convert", arguments).structured["value"], 3.785411784)
            other = testing.call("convert", arguments, caller=testing.person("grace"))
            self.assertEqual(other.structured["value"], 4.54609)

    def test_what_cannot_be_converted_is_for_the_model_to_mend(self):
        result = testing.call("convert", {"value": 1, "from": "mile", "to": "pound"})
        self.assertTrue(result.is_error)
        self.assertEqual(result.text, "mile is length, and pound is mass")

    def test_units_are_resources_and_are_completed(self):
        self.assertIn("kelvin", testing.read("units:all")[0].body)
        self.assertEqual(testing.complete("units:{kind}", "kind", "t"), ["temperature"])
        self.assertEqual(testing.complete("explain", "unit", "ki"), ["kilometre", "kilogram"])


if __name__ == "__main__":
    unittest.main()
