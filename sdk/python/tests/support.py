"""What the tests share."""

import tempfile
import unittest
from pathlib import Path

from gatehouse._app import server
from gatehouse._server import Server


def fresh(test: unittest.TestCase) -> None:
    """Empties the one app of the process for a test, and restores it afterwards."""
    before = dict(vars(server))
    vars(server).update(vars(Server()))
    test.addCleanup(lambda: vars(server).update(before))


def temporary_folder(test: unittest.TestCase) -> Path:
    """Makes a folder that is removed after a test."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    return Path(folder.name)
