"""Runbooks say what is there to be done, with commands that exist; drills follow the runbooks to the letter."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.local import stack
from infra.local.paths import CHECKOUT
from infra.manifest import load_all
from infra.monitoring.alerts import all_alerts
from infra.operations import drill
from infra.operations.drill import RUNBOOKS, blocks_of, drills, script_of
from infra.task import descriptions

# A page to fill in, a model on paper, and the page about the pages.
NO_RUNBOOKS = {"README", "incident", "cost"}
NAMES = sorted(file.stem for file in RUNBOOKS.glob("*.md") if file.stem not in NO_RUNBOOKS)
VERBS = {verb for verbs in descriptions((CHECKOUT / "Makefile").read_text()).values() for verb in verbs}
every_runbook = pytest.mark.parametrize("name", NAMES)


def text_of(name: str) -> str:
    return (RUNBOOKS / f"{name}.md").read_text()


@every_runbook
def test_a_runbook_says_what_one_sees_where_to_look_what_to_do_and_when_it_is_over(name):
    headings = re.findall(r"^## (.*)$", text_of(name), re.MULTILINE)

    assert (headings[0], headings[1], headings[-1]) == ("What you see", "Look", "Over when")
    assert all(heading.startswith("Do") for heading in headings[2:-1])
    assert len(headings) > 3


@every_runbook
def test_what_it_calls_exists(name):
    text = text_of(name)

    assert set(re.findall(r"(?:^|`)make (?:-s )?([a-z][a-z-]+)", text, re.MULTILINE)) <= VERBS
    assert {module for module in re.findall(r"python -m ([\w.]+)", text) if not module_file(module).exists()} == set()
    assert {page for page in re.findall(r"\b([a-z-]+)\.md\b", text) if not (RUNBOOKS / f"{page}.md").exists()} == set()
    jobs = {manifest.name for manifest in load_all()}
    assert set(re.findall(r"JOB=(cron_\w+)", text)) <= jobs


def module_file(module: str) -> Path:
    return (CHECKOUT / module.replace(".", "/")).with_suffix(".py")


@every_runbook
def test_every_runbook_has_a_drill_that_is_a_shell_script(name):
    checked = subprocess.run(["bash", "-n"], input=script_of(name), text=True, capture_output=True, check=False)

    assert name in drills()
    assert (checked.returncode, checked.stderr) == (0, "")


@every_runbook
def test_a_drill_runs_every_block_but_those_for_the_cloud(name):
    script = script_of(name)

    for block in blocks_of(text_of(name)):
        assert block.mark in ("", "mend", "cloud")
        assert (f"\n{block.text}" in script) == (block.mark == "")
        if block.mark == "mend":
            assert "\nmend() {" in script


@every_runbook
def test_a_condition_at_the_end_stands_alone_so_that_it_cannot_be_passed_over(name):
    """In a list joined by && only the last command's failure ends a shell that runs with `set -e`."""
    over = [block.text for block in blocks_of(text_of(name)) if block.heading == "Over when"]

    assert not re.search(r"^\[ .* \] && (?!break)", "".join(over), re.MULTILINE)


def test_the_list_of_runbooks_is_complete():
    listed = set(re.findall(r"\]\(([a-z-]+)\.md\)", text_of("README")))

    assert listed == {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"}


@pytest.mark.parametrize("alert", all_alerts(load_all()), ids=lambda alert: alert.key)
def test_every_alert_links_to_a_runbook_that_is_there(alert):
    [link] = re.findall(r"\]\((.*)\)$", alert.policy()["documentation"]["content"])

    assert link == f"infra/runbooks/{alert.runbook}.md"
    assert alert.runbook in NAMES


RUNBOOK = """# Jars

## What you see

Nothing.

## Look

```sh
jars=3
echo "$jars jars"
```

```sh cloud
gcloud jars list
```

## Do

```sh mend
close the lid
```

## Over when

```sh
[ "$lid" = closed ]
```
"""


@pytest.fixture
def jars(tmp_path, monkeypatch):
    """A runbook of the test's own, and its drill by what `mend` does."""
    monkeypatch.setattr(drill, "RUNBOOKS", tmp_path)
    monkeypatch.setattr(drill, "surroundings", lambda _: {"PATH": "/usr/bin:/bin"})
    monkeypatch.setattr(stack, "get", lambda: None)
    (tmp_path / "jars.md").write_text(RUNBOOK)
    (tmp_path / "drills").mkdir()

    def of(mend: str) -> int:
        (tmp_path / "drills" / "jars.sh").write_text(f"provoke() {{ echo opened; }}\nmend() {{ {mend}; }}\n")
        return drill.main(["jars"])

    return of


def test_a_drill_provokes_follows_and_looks_whether_it_is_over(jars, capfd):
    status = jars("lid=closed")

    *said, blank, verdict = capfd.readouterr().out.splitlines()
    assert status == 0
    assert said == [
        "# The incident is provoked",
        "opened",
        "",
        "## Look",
        "$ jars=3",
        '  echo "$jars jars"',
        "3 jars",
        "",
        "## Do",
        "$ close the lid",
        "",
        "## Over when",
        '$ [ "$lid" = closed ]',
    ]
    assert (blank, verdict.startswith("The runbook works: jars, after ")) == ("", True)


@pytest.mark.parametrize("mend", ["lid=open", "false"])
def test_one_that_is_not_over_or_breaks_off_has_failed(jars, capfd, mend):
    status = jars(mend)

    assert status == 1
    assert "The runbook FAILED (exit code 1): jars" in capfd.readouterr().out


def test_without_a_stack_or_a_name_a_drill_is_one_sentence(monkeypatch, capsys):
    def down() -> None:
        raise stack.NotUp("The local stack is not up; start it with `make run`.")

    monkeypatch.setattr(stack, "get", down)

    assert (drill.main(["redis-loss"]), drill.main([]), drill.main(["luck"])) == (1, 2, 2)
    up, which, _ = capsys.readouterr().err.splitlines()
    assert up == "The local stack is not up; start it with `make run`."
    assert which.startswith("Say which runbook: make drill R=<name>, of broken-invariants, ")
