import subprocess
import sys
from pathlib import Path

import pytest

from infra import environment


def _silent(_: str) -> None: ...


def test_without_ensurepip_the_machines_pip_serves_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian without python3-venv."""
    here = environment._has
    monkeypatch.setattr(environment, "_has", lambda module, *python: module != "ensurepip" and here(module, *python))
    place = tmp_path / "env"

    pip = environment.create(place, say=_silent)

    assert pip[:5] == [sys.executable, "-m", "pip", "--python", str(place / "bin/python")]
    listed = subprocess.run([*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True)
    assert listed.stdout == ""


def test_an_environment_that_works_is_kept(tmp_path: Path) -> None:
    place = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    (place / "mine.txt").touch()

    environment.create(place, say=_silent)

    assert (place / "mine.txt").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_has", lambda module, *_: module == "pip")
    place = tmp_path / "env"
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").symlink_to("/no/such/python")
    (place / "stale.txt").touch()

    environment.create(place, say=_silent)

    assert subprocess.run([place / "bin/python", "-c", ""], check=False).returncode == 0
    assert not (place / "stale.txt").exists()


def test_what_pip_cannot_install_ends_the_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any index nothing that the lock names can be had."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"jar==1 \\\n    --hash=sha256:{'0' * 64}\n")
    said: list[str] = []

    with pytest.raises(SystemExit, match=r"^pip could not install what requirements.lock names"):
        environment.install([sys.executable, "-m", "pip"], lock, say=said.append)

    assert said == ["Installing the 1 pinned distributions of requirements.lock."]
