"""The component of an app, made by componentize-py."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).parent

# What is no part of an app, though it lies in a folder of packages.
_TOOLS = {"pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel", "componentize_py", "gatehouse"}

_ENTRY = """\
import importlib

importlib.import_module({module!r})
from gatehouse._component import Tools
"""


class BuildError(Exception):
    """componentize-py is missing, or it failed: its own output says why."""


def build(app: Path, output: Path, *, portable: bool = False) -> None:
    """Writes the component of an app; `portable`, for hosts of WASI 0.2.

    Modules beside the app and packages of the running Python belong to it, as far as it imports them.
    """
    app = app.resolve()
    if not app.is_file() or app.suffix != ".py" or not app.stem.isidentifier():
        raise BuildError(f"{app} is no Python file whose name can be imported")
    with tempfile.TemporaryDirectory(prefix="gatehouse-") as temporary:
        folder = Path(temporary)
        modules = folder / "modules"
        packages = folder / "packages"
        # A folder of its own, with what the component needs and nothing else: componentize-py takes contracts from every
        # package that has some (spin-sdk does), and finds those of a virtual environment by itself.
        shutil.copytree(PACKAGE, modules / "gatehouse", ignore=shutil.ignore_patterns("__pycache__", "wit"))
        (modules / "gatehouse_entry.py").write_text(_ENTRY.format(module=app.stem))
        packages.mkdir()
        for site in _site_packages():
            _copy_packages(site, packages)
        _copy_modules(app.parent, folder / "app")
        component = folder / "component.wasm"
        command = [_componentize_py(), "--quiet"]
        command += ["-d", str(PACKAGE / "wit" / ("portable" if portable else "main")), "-w", "app"]
        command += ["componentize", "gatehouse_entry", "-o", str(component)]
        for path in (modules, folder / "app", packages):
            command += ["-p", str(path)]
        environment = os.environ | {"VIRTUAL_ENV": str(folder / "venv")}
        (folder / "venv" / "lib" / "site-packages").mkdir(parents=True)
        if subprocess.run(command, env=environment, cwd=folder).returncode != 0:
            raise BuildError("componentize-py failed")
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(component, output)


def _componentize_py() -> str:
    # That of this Python first: it is the version that this package pins.
    programs = Path(sys.executable).parent
    found = shutil.which("componentize-py", path=str(programs)) or shutil.which("componentize-py")
    if found is None:
        raise BuildError("componentize-py is missing: pip install gatehouse-sdk brings it")
    return found


def _site_packages() -> list[Path]:
    folders = [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    return [folder for folder in folders if folder.is_dir()]


def _copy_packages(site: Path, target: Path) -> None:
    for entry in site.iterdir():
        name = entry.name
        is_metadata = name.endswith((".dist-info", ".egg-info", ".pth")) or name == "__pycache__"
        if is_metadata or name.partition(".")[0] in _TOOLS or (entry / "componentize-py.toml").exists():
            continue
        if (target / name).exists():
            continue
        if entry.is_dir():
            shutil.copytree(entry, target / name, copy_function=_link, ignore=shutil.ignore_patterns("__pycache__"))
        elif entry.suffix in (".py", ".so"):
            _link(str(entry), str(target / name))


def _copy_modules(folder: Path, target: Path) -> None:
    def left_out(within: str, names: list[str]) -> list[str]:
        # Environments, caches and what is hidden.
        return [
            name
            for name in names
            if name.startswith(".")
            or name in ("__pycache__", "node_modules", "target")
            or (Path(within) / name / "pyvenv.cfg").exists()
            or name.endswith(".wasm")
        ]

    shutil.copytree(folder, target, copy_function=_link, ignore=left_out)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
