"""Processes of the stack: heard, waited for, and gone with everything that they started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.children import Child, ReadyFile
from infra.local.paths import CHECKOUT
from infra.local.processes import ServerFailed, birth_of, wait_until
from tests.patience import PATIENCE_S

# A process that starts another, says so, and waits; `deaf` ones do not listen to SIGTERM.
_PARENT = """
import pathlib, signal, subprocess, sys, time
ready, *how = sys.argv[1:]
if "deaf" in how:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("I have a child", flush=True)
pathlib.Path(ready).write_text(str(grandchild.pid))
time.sleep(60)
"""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `parent` to run, found through PYTHONPATH."""
    (tmp_path / "parent.py").write_text(_PARENT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("how", [(), ("deaf",)])
def test_stopping_ends_a_child_and_what_it_started_even_when_it_does_not_listen(parent, monkeypatch, how):
    monkeypatch.setattr("infra.local.children._STOPS_WITHIN_S", 0.5)
    ready, heard = ReadyFile(parent / "ready" / "file"), list[str]()
    child = Child("A parent", "parent", str(ready.path), *how, log=parent / "log", heard=heard.append)
    child.wait_until(ready.is_there)
    both = {pid: birth_of(pid) for pid in (child.pid, int(ready.text()))}

    child.stop()

    assert wait_until(lambda: all(birth_of(pid) != birth for pid, birth in both.items()), timeout_s=PATIENCE_S)
    assert (heard, (parent / "log").read_text()) == (["I have a child"], "I have a child\n")


def test_a_child_that_ends_instead_of_getting_ready_is_told_with_its_last_words(parent):
    (parent / "hasty.py").write_text("import sys; sys.exit('There is no such thing.')")
    child = Child("The hasty one", "hasty", log=parent / "log")

    with pytest.raises(ServerFailed) as failure:
        child.wait_until(lambda: False)
    child.stop()

    assert str(failure.value) == f"The hasty one does not start; {parent / 'log'} ends with: There is no such thing."


def test_a_child_ends_when_whoever_started_it_is_killed(parent):
    ready = parent / "ready"
    starter = (
        "import sys, time; from pathlib import Path; from infra.local.children import Child;"
        " Child('A parent', 'parent', sys.argv[1], log=Path(sys.argv[1] + '.log')); time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": f"{parent}:{CHECKOUT}"}
    process = subprocess.Popen([sys.executable, "-c", starter, str(ready)], env=environment)
    assert wait_until(lambda: ready.exists() and ready.read_text() != "", timeout_s=PATIENCE_S)
    grandchild = int(ready.read_text())
    [child] = [int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _parent_of(stat) == process.pid]
    birth = birth_of(child)

    process.kill()
    process.wait()
    gone = wait_until(lambda: birth_of(child) != birth, timeout_s=PATIENCE_S)
    os.kill(grandchild, signal.SIGKILL)

    assert gone


def _parent_of(stat: Path) -> int | None:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None
