import contextlib
import io
import sys
import unittest
from pathlib import Path

from gatehouse import _build
from gatehouse.__main__ import main

from support import fresh, temporary_folder

APP = '''
from dataclasses import dataclass
from gatehouse import Context, ToolError, tool

@dataclass
class Sum:
    total: float

@tool
async def add(first: float, numbers: list[float], context: Context, round_up: bool = False) -> Sum:
    """Adds numbers."""
    await context.progress(1, 2)
    if not numbers:
        raise ToolError("Nothing to add.")
    return Sum(first + sum(numbers) + round_up)
'''


class Call(unittest.TestCase):
    def setUp(self):
        fresh(self)
        self.app = str(temporary_folder(self) / "summing.py")
        Path(self.app).write_text(APP)
        self.addCleanup(setattr, sys, "path", list(sys.path))
        self.addCleanup(sys.modules.pop, "summing", None)

    def call(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["call", self.app, *words])
        return code, out.getvalue(), err.getvalue()

    def test_a_tool_is_called_by_hand(self):
        code, out, err = self.call("add", "--first", "1.5", "--numbers=[2, 3]", "--round-up")
        self.assertEqual((code, out), (0, '{\n  "total": 7.5\n}\n'))
        self.assertEqual(err, "1/2\n")

    def test_what_is_wrong_is_said(self):
        for words, code, why in [
            (["add", "--first", "1", "--numbers", "[]"], 1, "Nothing to add."),
            (["add", "--first", "1"], 2, "`numbers` is missing"),
            (["add", "--second", "1"], 2, "--second is no argument of the tool"),
            (["subtract"], 2, "There are: add"),
        ]:
            given, _, err = self.call(*words)
            self.assertEqual(given, code)
            self.assertIn(why, err)
            sys.modules.pop("summing", None)
            fresh(self)


class Build(unittest.TestCase):
    def test_the_contract_inside_is_that_of_the_repository(self):
        repository = Path(__file__).parents[3]
        for inside, outside in [
            ("main/deps/tools/tools.wit", "tools/tools.wit"),
            ("portable/deps/tools/tools.wit", "portable/tools.wit"),
        ]:
            ours = (_build.PACKAGE / "wit" / inside).read_text()
            self.assertEqual(ours, (repository / "wit" / outside).read_text())

    def test_packages_with_contracts_of_their_own_and_environments_are_left_out(self):
        folder = temporary_folder(self)
        site, copied = folder / "site-packages", folder / "copied"
        for name in ("spin_sdk/componentize-py.toml", "spin_sdk/__init__.py", "useful/__init__.py", "pip/__init__.py"):
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        copied.mkdir()
        _build._copy_packages(site, copied)
        self.assertEqual([entry.name for entry in copied.iterdir()], ["useful"])

        app = folder / "app"
        for name in ("app.py", "units/__init__.py", "env/pyvenv.cfg", ".venv/x.py", "node_modules/x.py", "old.wasm"):
            path = app / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        _build._copy_modules(app, folder / "modules")
        self.assertEqual(sorted(entry.name for entry in (folder / "modules").iterdir()), ["app.py", "units"])

    def test_what_is_no_app_is_refused(self):
        for name in ("missing.py", __file__.replace(".py", ".txt")):
            with self.assertRaises(_build.BuildError):
                _build.build(Path(name), Path("x.wasm"))


if __name__ == "__main__":
    unittest.main()
