"""No room of the project imports one above it, or tests for the name of a family or of a
problem."""

import ast
import graphlib
import re

import pytest
from conftest import REPOSITORY

from inference.problems import ALL, SCRIPTS
from models.recipes import RECIPES

# What each room may import of the project, itself aside.
GROUND = {"cli", "data_utils", "models"}
MAY = {
    "cli": set(),
    "data_tools": {"cli"},
    "data_utils": {"cli", "data_tools"},
    "start": {"cli", "inference", "train"},  # what the shell scripts run
    "models": {"cli", "data_utils"},
    "metrics": GROUND,
    "train": GROUND | {"metrics", "data_tools"},
    "inference": GROUND | {"metrics", "data_tools.images", "train.model"},
    "page": GROUND | {"inference.edit", "metrics.judge"},  # no room imports it
    "report": GROUND | {"metrics", "inference", "train"},
    "benchmarks": GROUND | {"train"},
}
SOURCES = [p for name in MAY for p in sorted(REPOSITORY.glob(f"{name}/**/*.py"))]
SOURCES += [p for p in sorted(REPOSITORY.glob("*.py")) if p.stem in MAY]


def imported(path):
    """Modules of the project that a file imports, wherever in it: "models.recipe"."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] in MAY or name.split(".")[0] == "tests":
                yield name


def room(path):
    return path.relative_to(REPOSITORY).parts[0].removesuffix(".py")


@pytest.mark.parametrize("name", MAY)
def test_a_room_leans_on_nothing_above_it(name):
    files = [path for path in SOURCES if room(path) == name]
    assert files
    wrong = [
        f"{path} imports {found}"
        for path in files
        for found in imported(path)
        if found.split(".")[0] != name
        and not any(f"{found}.".startswith(f"{may}.") for may in MAY[name])
    ]
    assert wrong == []


def test_every_room_has_its_rule():
    rooms = {room(path) for path in REPOSITORY.rglob("*.py")}
    assert {name for name in rooms if name[0] != "."} - {"tests"} == MAY.keys()


def test_nobody_imports_a_command_line():
    files = [path for path in SOURCES if path.name != "start.py"]
    assert [p for p in files if "__main__" in " ".join(imported(p))] == []


def names_tested(path, names):
    """Lines of a file that compare something with one of the names, or look up its row
    in a table of problems."""
    for node in ast.walk(ast.parse(path.read_text())):
        found = []
        if isinstance(node, ast.Compare):
            found = [node.left, *node.comparators]
            found += [e for x in found for e in getattr(x, "elts", ())]
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            found = [node.slice] if node.value.id in TABLES else []
        if any(isinstance(x, ast.Constant) and x.value in names for x in found):
            yield node.lineno


TABLES = ("PROBLEMS", "STUDIES", "SCRIPTS")


def test_nobody_tests_for_a_problem_or_a_report_by_its_name():
    """But the table of problems."""
    names = {*SCRIPTS, ALL, *(r.report for r in RECIPES.values())}
    files = [path for path in SOURCES if room(path) in ("inference", "page", "start")]
    assert [f"{p}:{line}" for p in files for line in names_tested(p, names)] == []


def test_what_tests_for_a_name_is_found(tmp_path):
    (tmp_path / "a.py").write_text("x == 'kl'\nx in ('a', 'kl')\nSTUDIES['kl']\n")
    assert sorted(names_tested(tmp_path / "a.py", {"kl"})) == [1, 2, 3]


def test_nobody_asks_for_a_family_by_its_name():
    """But its row, its algorithm and its recipes; whether there is one may be asked."""
    home = ("models/recipe.py", "models/recipes.py")
    asks = re.compile(r"\bfamily\s*(==|!=|(not )?in\b(?! FAMILIES))")
    files = [p for p in SOURCES if p.relative_to(REPOSITORY).as_posix() not in home]
    assert [path for path in files if asks.search(path.read_text())] == []


def test_no_circle_of_files():
    """Wherever in a file an import stands."""
    names = {
        ".".join(p.relative_to(REPOSITORY).with_suffix("").parts): p
        for p in SOURCES
        if p.parent != REPOSITORY and p.name != "__init__.py"
    }
    graph = {
        name: {
            known
            for found in imported(path)
            for known in (found, found.rpartition(".")[0])
            if known in names and known != name
        }
        for name, path in names.items()
    }
    graphlib.TopologicalSorter(graph).prepare()  # CycleError names the files
