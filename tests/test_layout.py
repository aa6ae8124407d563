"""How the program is laid out: imports never point upward, answers need no torch, and nothing calls home."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from retrieval.machine import cpu_count
from tests.conftest import make_folder

ROOT = Path(__file__).parents[1]
PACKAGES = ("retrieval", "indexer", "cli")
ABOVE = {"retrieval": {"indexer", "cli", "tests"}, "indexer": {"cli", "tests"}, "cli": {"tests"}}
HEAVY = {
    "torch", "torchvision", "open_clip", "timm", "sklearn", "scipy", "pandas", "matplotlib", "openvino_telemetry",
    "dask",
}  # fmt: skip
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
WINGS = {  # each imports only what stands after it
    "retrieval": "verdicts judging finding comparing catalogue encoder photographs statistics "
    "machine moment outcome extras errors",
    "indexer": "demo comparison training measuring building metric_learning simulation inputs tables",
    "cli": "start main commands serve runs screening evidence pages pictures records output",
}
ALONE = ("machine", "moment", "outcome", "extras", "errors")  # import nothing of ours
LONGEST_FILE, LONGEST_FUNCTION = 300, 50


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names(nodes) -> set[str]:
    """Return the top-level packages that the import statements among some nodes name."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add((node.module or "").partition(".")[0])
    return found


def outside_functions(node: ast.AST):
    """Yield what runs when a module is imported."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from outside_functions(child)


each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())


@each_module
def test_imports_never_point_upward(path):
    package = path.relative_to(ROOT).parts[0]
    assert not names(ast.walk(tree(path))) & ABOVE[package]


def name_of(path: Path) -> str:
    """Return the dotted name of a module, that of the folder for an `__init__.py`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path): path for path in MODULES}


def imported(path: Path) -> set[str]:
    """Return the modules of the house that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & {name for name, module in NAMES.items() if module.name != "__init__.py"}


@each_module
def test_a_wing_imports_only_wings_below_it(path):
    package, *rest = name_of(path).split(".")
    order = WINGS[package].split()
    if not rest:  # the package itself
        assert not imported(path)
        return
    below = order[order.index(rest[0]) :] if rest[0] not in ALONE else []
    inside = {name.split(".")[1] for name in imported(path) if name.startswith(f"{package}.")}
    assert inside <= set(below), f"{sorted(inside - set(below))} stand above {rest[0]}"


def test_every_wing_says_what_it_is_in_one_sentence():
    folders = {path.parent for path in MODULES}
    said = {folder: ast.get_docstring(tree(folder / "__init__.py")) for folder in folders}
    assert all(text and "\n" not in text for text in said.values()), said


def test_no_circle_of_modules():
    graph = {name: imported(path) - {name} for name, path in NAMES.items()}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


@each_module
def test_no_file_and_no_function_is_long(path):
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_FILE
    if path.parent == ROOT / "cli/commands":
        return  # lists of options
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]
    long = [node.name for node in functions if node.end_lineno - node.lineno >= LONGEST_FUNCTION]
    assert not long


@each_module
def test_only_the_torch_engine_and_the_network_import_torch_at_once(path):
    at_once = names(outside_functions(tree(path))) & HEAVY
    allowed = path.relative_to(ROOT).as_posix() in {
        "retrieval/encoder/network.py",
        "retrieval/encoder/torch_engine.py",
        "indexer/comparison/examples.py",
        "indexer/comparison/network.py",
        "indexer/comparison/tower.py",
        "indexer/comparison/training.py",
        "indexer/metric_learning/losses.py",
        "indexer/metric_learning/mining.py",
        "indexer/metric_learning/objective.py",
        "indexer/training/checkpoint.py",
        "indexer/training/export.py",
        "indexer/training/forecast.py",
        "indexer/training/phases.py",
        "indexer/training/pool.py",
        "indexer/training/run.py",
        "indexer/training/sources.py",
        "indexer/training/trainer.py",
    }
    assert not at_once or allowed


@each_module
def test_a_module_opens_with_one_sentence(path):
    text = ast.get_docstring(tree(path))
    assert text, "no docstring"
    first = text.split("\n\n")[0]
    assert first[0].isupper() or first[0] == "`"
    assert first.endswith((".", "?")) and "\n" not in first


def test_the_packages_installed_are_those_at_the_top():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    top = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    folders = {path.parent.relative_to(ROOT) for path in MODULES}
    assert top == set(PACKAGES) == set(project["tool"]["mypy"]["packages"])
    assert set(project["tool"]["setuptools"]["packages"]) == {".".join(folder.parts) for folder in folders}
    assert all((ROOT / folder / "__init__.py").is_file() for folder in folders)


DRIVER = """
import json, sys

calls = []
WATCHED = ("socket.", "subprocess.", "os.fork", "os.posix_spawn", "os.system", "os.exec", "urllib.", "http.", "ssl.")


def watch(event, args):
    if event.startswith(WATCHED) and len(calls) < 50:
        calls.append(event + " " + repr(args)[:200])


sys.addaudithook(watch)
from cli.main import app

folder, data = sys.argv[1:]
photo = folder + "/00.png"
lines = [["index", folder], ["index", folder], ["query", photo], ["screen", folder, "--format", "jsonl"], ["check"]]
codes = []
for line in lines:
    try:
        app([*line, "--data", data])
    except SystemExit as end:
        codes.append(end.code or 0)
modules = sorted({name.partition(".")[0] for name, module in sys.modules.items() if module is not None})
seen = list(calls)
import socket

socket.socket().close()  # the watch works
print("RESULT" + json.dumps({"codes": codes, "calls": seen, "modules": modules, "control": len(calls) - len(seen)}))
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return make_folder(tmp_path_factory.mktemp("offline") / "photos", {f"{n:02}.png": n for n in range(6)})


def arguments(pictures: Path, data: Path) -> list[str]:
    return [sys.executable, "-c", DRIVER, str(pictures), str(data)]


@pytest.fixture(scope="module")
def ran(pictures) -> dict:
    command = arguments(pictures, pictures.parent / "data")
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "RESULT" in result.stdout, result.stderr
    found = json.loads(result.stdout.partition("RESULT")[2])
    assert found["codes"] == [0, 0, 0, 0, 0], result.stdout + result.stderr
    return found


def test_the_main_job_opens_no_socket_and_starts_no_process_but_its_own_readers(ran):
    reader = f"subprocess.Popen ({sys.executable!r}, [{sys.executable!r}, '-c', "
    assert [call for call in ran["calls"] if not call.startswith(reader)] == []
    assert 0 < len(ran["calls"]) <= 2 * cpu_count() + 1  # of indexing, screening and a query
    assert ran["control"] > 0


def test_a_reader_opens_no_socket(pictures):
    code = (
        "import sys; calls = []\n"
        "sys.addaudithook(lambda event, _: event.startswith('socket.') and calls.append(event))\n"
        "from pathlib import Path; from retrieval.photographs.features import features_of\n"
        "from retrieval.photographs.reader_process import Order, read_here\n"
        "found = read_here(Order(Path(sys.argv[1]), 260, 500.0, features_of)).photograph.width\n"
        "import socket; seen = list(calls); socket.socket().close(); print(found, seen, len(calls) - len(seen))"
    )
    command = [sys.executable, "-c", code, str(pictures / "00.png")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"96 \[\] [1-9]\d*\n", result.stdout)


def test_the_main_job_needs_no_torch(ran):
    assert not HEAVY & set(ran["modules"])
    assert {"openvino", "faiss", "numpy"} <= set(ran["modules"])


def test_the_main_job_needs_no_templates(ran):
    assert "jinja2" not in ran["modules"]


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(result.stderr.split())
    assert "typer" in loaded and "index" in result.stdout
    assert not loaded & (HEAVY | {"numpy", "faiss", "openvino", "PIL", "sqlite_utils", "cv2", "jinja2"})


@pytest.mark.parametrize("asked", [None, "3"])
def test_blas_is_told_its_threads_before_numpy_is_imported(asked):
    code = "import sys, cli.main, os; print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": asked} if asked else {}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", asked or "1"]


@pytest.mark.slow
def test_no_internet_socket_below_python_either(pictures, tmp_path):
    """Libraries in C++ open sockets that Python does not hear of: ask the kernel."""
    trace = tmp_path / "trace"
    whole = ["-s", "4096"]  # strace cuts strings after 32 characters, where the path of this checkout may go on
    strace = ["strace", "-f", "-qq", *whole, "-e", "trace=socket,connect,execve", "-o", str(trace)]
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    if subprocess.run([*strace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not allowed to trace here")
    result = subprocess.run(
        [*strace, *arguments(pictures, tmp_path / "data")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "RESULT" in result.stdout, result.stderr
    lines = trace.read_text().splitlines()
    internet = [line for line in lines if "AF_INET" in line]
    assert len(internet) == 1, internet  # the one that the driver opens last, to show that the watch works
    started = [line.partition("execve(")[2] for line in lines if "execve(" in line]
    python = f'"{sys.executable}", ["{sys.executable}"'
    assert started[0].startswith(python)  # the driver itself
    assert all(line.startswith(python) for line in started[1:]), started
    assert 0 < len(started[1:]) <= 2 * cpu_count() + 1  # its readers: of indexing, screening and a query
