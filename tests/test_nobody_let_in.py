"""What runs inside ComfyUI executes nothing out of a file or a workflow, and talks to nobody. Read from the source.

`test_imports.py` has the modules that may not be imported; here are calls and names, for the trainer too.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_imports import ROOT, files_of, imports_of

INSIDE = ("nodes", "comfy_ecgan", "ecgan_core")

# What executes what it is given, or fetches; also as the end of a longer name (`torch.load`, `os.system`).
CALLS = {
    *("eval", "exec", "compile", "__import__", "execfile", "breakpoint"),
    *("os.system", "os.popen", "os.startfile", "pty.spawn", "runpy.run_path", "runpy.run_module", "ctypes.CDLL"),
    *("torch.load", "torch.jit.load", "torch.hub.load", "torch.package.PackageImporter"),
    *("yaml.load", "yaml.full_load", "yaml.unsafe_load", "numpy.load", "np.load"),
    *("hf_hub_download", "snapshot_download", "urlopen", "urlretrieve", "load_dataset"),
}
STARTS = ("os.exec", "os.spawn", "os.posix_spawn", "subprocess.", "ctypes.", "socket.")
MODULES = {
    *("aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib"),
    *("urllib", "urllib3", "websockets", "xmlrpc", "huggingface_hub", "datasets", "ensurepip", "pip"),
    *("cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "code", "codeop", "ctypes", "pty", "runpy"),
    *("builtins", "multiprocessing", "subprocess"),
}
IMPORTERS = {"importlib.import_module", "import_module", "importlib.util.spec_from_file_location"}

# file → why it may: the line is as short as it can be, and the reason is told.
MAY = {
    ("train/data/sources/hub.py", "datasets"): "a recipe that names a data set of the Hub; its package is an extra",
    ("train/data/sources/hub.py", "datasets.load_dataset"): "the same",
    ("train/portraits/head/assets.py", "subprocess"): "pip fetches the head's wheel, which is compared with its hash",
    ("train/portraits/head/assets.py", "subprocess.run"): "the same",
    ("train/portraits/workers.py", "multiprocessing"): "rendering by several processes of our own",
    ("train/data/cache.py", "np.load"): "with allow_pickle=False, which the test below looks at",
    ("train/portraits/head/mesh.py", "np.load"): "the same",
    ("train/unique_keys.py", "yaml.load"): "with a loader that is yaml.SafeLoader and refuses double keys",
    ("__init__.py", "importlib.import_module"): "the pack's own nodes, by a name that is written there",
    ("__init__.py", "importlib.util.spec_from_file_location"): "the pack's own packages, from its own folder",
    ("ecgan_core/__init__.py", "importlib.import_module"): "the library's own modules, by names that are written there",
}


def calls_of(file: Path) -> Iterator[tuple[int, str]]:
    """(line, name) of each call in a file, and of each dangerous name that is handed on instead of called."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def is_dangerous(name: str) -> bool:
    ends = {name, ".".join(name.split(".")[-2:])}
    known = bool(ends & (CALLS | IMPORTERS)) or name.startswith(STARTS)
    return known or name.split(".")[-1] in ("hf_hub_download", "snapshot_download", "urlopen", "load_dataset")


@functools.cache
def found(room: str) -> set[tuple[str, str]]:
    pairs = set()
    for file in files_of(room):
        where = file.relative_to(ROOT).as_posix()
        pairs |= {(where, name) for _, name in calls_of(file) if is_dangerous(name)}
        pairs |= {(where, module) for _, module in imports_of(file) if module in MODULES}
    return pairs


@pytest.mark.parametrize("room", [*INSIDE, "train"])
def test_nothing_executes_or_fetches_but_what_is_named(room: str) -> None:
    assert found(room) - set(MAY) == set()


def test_what_is_named_is_still_there() -> None:
    assert set(MAY) - set.union(*map(found, [*INSIDE, "train"])) == set()


def test_arrays_are_loaded_without_pickles() -> None:
    for file in [path for room in (*INSIDE, "train") for path in files_of(room)]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
                assert "allow_pickle=False" in ast.unparse(node), file


def test_the_recipes_yaml_loader_is_the_safe_one() -> None:
    import yaml

    from train.unique_keys import UniqueKeys

    assert issubclass(UniqueKeys, yaml.SafeLoader)
    assert not UniqueKeys.yaml_multi_constructors.keys() - yaml.SafeLoader.yaml_multi_constructors.keys()


@pytest.mark.parametrize(
    ("line", "dangerous"),
    [
        ("eval('1')", True),
        ("builtins.exec(text)", False),  # no module of ours imports builtins
        ("torch.load(path)", True),
        ("self.torch.load(path)", True),
        ("subprocess.run(command)", True),
        ("os.execv(path, [])", True),
        ("importlib.import_module(name)", True),
        ("huggingface_hub.hf_hub_download('x')", True),
        ("re.compile('x')", False),
        ("json.load(file)", False),
    ],
)
def test_the_reader_of_calls_sees_them(tmp_path: Path, line: str, dangerous: bool) -> None:
    file = tmp_path / "x.py"
    file.write_text(line, encoding="utf-8")
    assert [is_dangerous(name) for _, name in calls_of(file)] == [dangerous]


def test_the_pack_adds_no_route_to_comfyuis_server() -> None:
    """A route could be asked by any page that is open in the browser. Whoever adds one has it refuse other origins."""
    words = ("PromptServer", "routes.get", "routes.post", "add_routes", "add_route", "aiohttp", "web.Response")
    for file in [path for room in INSIDE for path in files_of(room)]:
        text = file.read_text(encoding="utf-8")
        assert not [word for word in words if word in text], file


def test_the_page_asks_nobody_but_its_own_server() -> None:
    for script in sorted((ROOT / "comfy_ecgan" / "web").rglob("*.js")):
        text = script.read_text(encoding="utf-8")
        for word in ("eval(", "new Function", "innerHTML", "XMLHttpRequest", "WebSocket", "http://", "import("):
            assert word not in text.replace("http://www.w3.org/", ""), f"{script}: {word}"
