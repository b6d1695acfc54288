"""The rules of the house (DESIGN section 1), checked."""

import ast
import dataclasses
import inspect
import itertools
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from importlinter.cli import lint_imports

import application.ports.units_of_work as units
import application.use_cases
from application.catalogue import UseCases

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
SOURCES = sorted(SRC.rglob("*.py"))
LONGEST_FILE = 260
"""Two screens. `settings.py` is a list, and a list is one thing however long."""


def use_case_modules() -> Iterator[ModuleType]:
    package = application.use_cases
    for module in pkgutil.iter_modules(package.__path__):
        yield import_module(f"{package.__name__}.{module.name}")


def use_case_classes() -> list[type]:
    return [
        member
        for module in use_case_modules()
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__ and "__call__" in vars(member)
    ]


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_the_arrows_point_one_way_and_only_composition_knows_the_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


@pytest.mark.parametrize("use_case", use_case_classes(), ids=lambda use_case: use_case.__name__)
def test_a_use_case_is_a_frozen_dataclass_with_one_public_method(use_case: type) -> None:
    assert dataclasses.is_dataclass(use_case)
    assert use_case.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert all(field.kw_only for field in dataclasses.fields(use_case))
    assert [name for name in vars(use_case) if inspect.isfunction(vars(use_case)[name]) and name[0] != "_"] == []
    assert list(inspect.signature(use_case.__call__).parameters)[1:] in ([], ["command"])


def test_the_catalogue_lists_every_use_case() -> None:
    listed = [get_args(field.type) or (field.type,) for field in dataclasses.fields(UseCases)]
    assert set(itertools.chain(*listed)) == set(use_case_classes())


def test_the_unit_of_work_that_answers_strangers_names_no_users_accounts_or_sessions() -> None:
    """R15, DESIGN section 2; the adapters are held to it in tests/adapters."""
    members = {name for name in dir(units.Intake) if not name.startswith("_")}
    assert members == {"commit", "sign_ups", "usernames", "letters"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(SRC)))
def test_a_source_file_keeps_the_rules(source: Path) -> None:
    relative = source.relative_to(SRC).as_posix()
    text = source.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LONGEST_FILE or relative == "entrypoints/settings.py", "two things: find the seam"
    if text and relative != "entrypoints/http/native/__init__.py":
        assert ast.get_docstring(tree) or "migrations/versions/__init__" in relative
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for word in ("Manager", "Service", "Helper", "Utils", "Base", "Impl"):
                assert not node.name.startswith(word), node.name
                assert not node.name.endswith(word), node.name
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv"):
            # The latter writes the one variable by which prometheus-client can be told.
            allowed = ("entrypoints/settings.py", "adapters/metrics/prometheus.py")
            assert relative in allowed, "settings alone reads the environment"
    for name, call in calls(tree):
        if name in ("datetime.now", "datetime.utcnow", "uuid4", "uuid.uuid4", "time.time"):
            allowed = ("adapters/environment.py", "entrypoints/http/perimeter.py")
            assert relative in allowed, f"{name}: time and ids come through ports"
        if name.split(".")[-1] in ("text", "exec_driver_sql", "executescript") and call.args:
            assert isinstance(call.args[0], ast.Constant), "SQL text is constant (ASVS 1.2.4)"
        assert not name.startswith("random."), "unguessables come from the system's source (ASVS 11.5.1)"
        assert name not in ("eval", "exec", "pickle.loads", "yaml.load"), name


def test_what_is_public_says_what_it_promises() -> None:
    silent = []
    for source in SOURCES:
        if "adapters" in source.parts or "migrations" in source.parts:
            continue  # an adapter's methods are promised by its port
        for owner, node in definitions(ast.parse(source.read_text())):
            if not node.name.startswith("_") and not owner.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{source.relative_to(SRC)}:{node.lineno} {node.name}")
    assert silent == []


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Classes, functions and methods, with the class they belong to; a member that is only a type says all by it."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield "", node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and [
                    ast.unparse(line) for line in member.body
                ] != ["..."]:
                    yield node.name, member


def test_lock_files_pin_by_hash_and_name_no_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text
        assert text.count("--hash=sha256:") > text.count("==")
