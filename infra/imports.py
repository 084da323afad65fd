"""What a set of modules imports, directly and through each other, read from the source without running it.

Imports inside functions count like any other; those under `if TYPE_CHECKING` do not happen and do not count.
Importing a module runs the `__init__` of every package above it, so those are reached too.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from infra.local.paths import CHECKOUT

OURS = frozenset({"functions", "shared", "infra", "tests", "migrations"})


@dataclass(frozen=True)
class Import:
    """A dotted name that a module asks for: of a module, or of something in one."""

    name: str
    is_attribute_maybe: bool


@dataclass
class Reach:
    """What is imported from a start: our modules, and outside names with the module that asks for each."""

    modules: set[str] = field(default_factory=set)
    outside: dict[Import, str] = field(default_factory=dict)


def reach(start: Iterable[str], root: Path = CHECKOUT) -> Reach:
    """Everything that importing these modules may ever import."""
    found = Reach()
    waiting = [name for module in start for name in _with_packages(module)]
    while waiting:
        module = waiting.pop()
        file = source_of(module, root)
        if module in found.modules or file is None:
            continue
        found.modules.add(module)
        for wanted in imports_of(file, module):
            if wanted.name.partition(".")[0] in OURS:
                waiting.extend(_with_packages(_module_of(wanted, root)))
            else:
                found.outside.setdefault(wanted, module)
    return found


def source_of(module: str, root: Path = CHECKOUT) -> Path | None:
    """The file of one of our modules or packages; None when the name is of something else."""
    place = root.joinpath(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in candidates if file.exists()), None)


@cache
def imports_of(file: Path, module: str) -> tuple[Import, ...]:
    """What this file imports, standard library aside."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    nodes = _happening(ast.parse(file.read_text(), str(file)))
    wanted = (found for node in nodes for found in _named(node, package))
    return tuple(found for found in wanted if found.name.partition(".")[0] not in sys.stdlib_module_names)


def _named(node: ast.AST, package: str) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, is_attribute_maybe=False) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        origin = ".".join([*above, *([node.module] if node.module else [])])
        yield from (Import(f"{origin}.{alias.name}", is_attribute_maybe=True) for alias in node.names)


def _happening(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, without what only a type checker sees."""
    yield node
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        children = iter(node.orelse)
    for child in children:
        yield from _happening(child)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"


def _module_of(wanted: Import, root: Path) -> str:
    if wanted.is_attribute_maybe and source_of(wanted.name, root) is None:
        return wanted.name.rpartition(".")[0]
    return wanted.name


def _with_packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
