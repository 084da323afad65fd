from pathlib import Path

from infra.imports import reach


def _reached(root: Path, files: dict[str, str], start: str) -> tuple[set[str], dict[str, str]]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    found = reach([start], root)
    return found.modules, {wanted.name: module for wanted, module in found.outside.items()}


def test_packages_above_a_module_run_too(tmp_path: Path) -> None:
    files = {
        "shared/__init__.py": "",
        "shared/a/__init__.py": "import shared.b",
        "shared/a/c.py": "",
        "shared/b.py": "",
    }

    modules, _ = _reached(tmp_path, files, "shared.a.c")

    assert modules == {"shared", "shared.a", "shared.a.c", "shared.b"}


def test_a_name_from_a_package_may_be_a_module_or_not(tmp_path: Path) -> None:
    files = {"shared/__init__.py": "", "shared/a.py": "from shared import b, NAME", "shared/b.py": ""}

    modules, _ = _reached(tmp_path, files, "shared.a")

    assert modules == {"shared", "shared.a", "shared.b"}


def test_relative_imports_are_resolved(tmp_path: Path) -> None:
    files = {
        "shared/a/__init__.py": "from . import b",
        "shared/a/b.py": "from .c import X\nfrom ..d import Y",
        "shared/a/c.py": "",
        "shared/d.py": "",
    }

    modules, _ = _reached(tmp_path, files, "shared.a")

    assert modules == {"shared.a", "shared.a.b", "shared.a.c", "shared.d"}


def test_outside_names_are_kept_with_who_asks_and_the_standard_library_is_not(tmp_path: Path) -> None:
    text = "import json, redis.asyncio\nfrom google.cloud import storage\ndef late():\n    import uuid_utils\n"

    _, outside = _reached(tmp_path, {"shared/a.py": text}, "shared.a")

    assert outside == dict.fromkeys(["redis.asyncio", "google.cloud.storage", "uuid_utils"], "shared.a")


def test_what_only_a_type_checker_sees_is_not_reached_but_its_else_is(tmp_path: Path) -> None:
    text = "import typing\nif typing.TYPE_CHECKING:\n    import shared.b\nelse:\n    import shared.c\n"

    modules, _ = _reached(tmp_path, {"shared/a.py": text, "shared/b.py": "", "shared/c.py": ""}, "shared.a")

    assert modules == {"shared.a", "shared.c"}


def test_circles_end(tmp_path: Path) -> None:
    modules, _ = _reached(tmp_path, {"shared/a.py": "import shared.b", "shared/b.py": "import shared.a"}, "shared.a")

    assert modules == {"shared.a", "shared.b"}
