import subprocess
import sys
from pathlib import Path

import pytest

from infra.requirements import locked
from infra.stage import CannotStage, needed_by, stage


def _a_checkout(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Function `jars` reaches the shelf and, inside a function, the lid; nobody reaches the cellar."""
    lock = Path(__file__).resolve().parents[2] / "requirements.lock"
    return _a_checkout(
        tmp_path / "checkout",
        {
            "requirements.lock": lock.read_text(),
            "functions/__init__.py": "",
            "functions/jars/main.py": "from shared.shelf.rows import count\nmain = count\n",
            "functions/jars/function.toml": "",
            "functions/jars/requirements.txt": "functions-framework\n",
            "functions/other/main.py": "import shared.cellar\n",
            "shared/__init__.py": "",
            "shared/shelf/__init__.py": "",
            "shared/shelf/labels/label.txt": "Jar",
            "shared/shelf/rows.py": (
                "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    import shared.cellar\n"
                "def count():\n    from shared.lid import WIDTH\n    return WIDTH\n"
            ),
            "shared/lid.py": "import json\nWIDTH = 7\n",
            "shared/cellar.py": "import nothing_of_the_kind\n",
            "shared/attic/__init__.py": "",
            "shared/attic/note.txt": "Not reached",
        },
    )


def test_a_bundle_holds_what_is_reached_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    out = stage("jars", tmp_path / "out", checkout)

    files = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    assert files == [
        ".staged",
        "functions/__init__.py",
        "functions/jars/function.toml",
        "functions/jars/main.py",
        "functions/jars/requirements.txt",
        "main.py",
        "requirements.txt",
        "shared/__init__.py",
        "shared/lid.py",
        "shared/shelf/__init__.py",
        "shared/shelf/labels/label.txt",
        "shared/shelf/rows.py",
    ]
    assert (out / "main.py").read_text() == "from functions.jars.main import main  # noqa: F401\n"


def test_a_bundle_runs_with_nothing_else_present(checkout: Path, tmp_path: Path) -> None:
    out = stage("jars", tmp_path / "out", checkout)

    done = subprocess.run(
        [sys.executable, "-c", "import main; print(main.main())"], check=True, cwd=out, capture_output=True, text=True
    )

    assert done.stdout == "7\n"


def test_requirements_are_the_closure_with_the_locks_own_hashes(checkout: Path, tmp_path: Path) -> None:
    out = stage("jars", tmp_path / "out", checkout)

    pins = locked(checkout / "requirements.lock")
    staged = locked(out / "requirements.txt")
    assert {"functions-framework", "flask", "werkzeug", "cloudevents", "gunicorn"} <= staged.keys()
    assert "sqlalchemy" not in staged
    assert staged == {name: pins[name] for name in staged}
    assert all("--hash=sha256:" in pin.lines for pin in staged.values())


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("import redis", "redis"),
        ("def late():\n    from google.cloud import storage", "google-cloud-storage"),
        ("from google.cloud.pubsub_v1 import PublisherClient", "google-cloud-pubsub"),
        ("from pydantic import EmailStr", "email-validator (imported by shared.lid), pydantic"),
        ("from sqlalchemy import create_engine", "pg8000 (imported by shared.lid), sqlalchemy"),
    ],
)
def test_an_undeclared_distribution_is_refused(checkout: Path, tmp_path: Path, line: str, missing: str) -> None:
    (checkout / "shared/lid.py").write_text(f"{line}\nWIDTH = 7\n")

    with pytest.raises(CannotStage) as refusal:
        stage("jars", tmp_path / "out", checkout)

    assert str(refusal.value) == f"functions/jars/requirements.txt does not declare {missing} (imported by shared.lid)."
    assert not (tmp_path / "out").exists()


def test_what_nothing_installed_provides_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "functions/other/requirements.txt").write_text("functions-framework\n")

    with pytest.raises(CannotStage, match=r"^shared.cellar imports nothing_of_the_kind, which no installed"):
        stage("other", tmp_path / "out", checkout)


def test_what_is_not_deployed_cannot_be_imported(checkout: Path, tmp_path: Path) -> None:
    _a_checkout(checkout, {"infra/__init__.py": "", "infra/local.py": ""})
    (checkout / "shared/lid.py").write_text("import infra.local\nWIDTH = 7\n")

    with pytest.raises(CannotStage, match=r"^A function cannot import infra: only functions/ and shared/"):
        stage("jars", tmp_path / "out", checkout)


def test_a_distribution_missing_from_the_lock_is_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "requirements.lock").write_text("blinker==1.0\n")

    with pytest.raises(CannotStage, match=r"is not in requirements.lock; add it to pyproject.toml"):
        stage("jars", tmp_path / "out", checkout)


def test_a_bundle_is_replaced_but_nothing_else_is(checkout: Path, tmp_path: Path) -> None:
    out = stage("jars", tmp_path / "out", checkout)
    (out / "stale.py").touch()

    stage("jars", out, checkout)

    assert not (out / "stale.py").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").touch()
    with pytest.raises(CannotStage, match="holds something that is not a bundle"):
        stage("jars", tmp_path / "mine", checkout)
    assert (tmp_path / "mine/letter.txt").exists()


def test_what_must_be_declared_can_be_asked(checkout: Path) -> None:
    (checkout / "shared/lid.py").write_text("import redis\nWIDTH = 7\n")

    assert needed_by("jars", checkout) == {"functions-framework": "main", "redis": "shared.lid"}


def test_a_function_that_does_not_exist_is_named(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotStage, match=r"^There is no function 'lids'"):
        stage("lids", tmp_path / "out", checkout)
