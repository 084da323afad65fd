import os
from pathlib import Path

import pytest

from infra.local import packages
from infra.local.packages import InstallationFailed, PackagesMissing, System, missing_packages


def _a_machine(root: Path, *files: str) -> System:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return System(root)


def _postgres(version: int) -> list[str]:
    return [f"usr/lib/postgresql/{version}/bin/{program}" for program in ("initdb", "pg_ctl", "postgres")]


def _postgis(version: int) -> str:
    return f"usr/share/postgresql/{version}/extension/postgis.control"


def test_a_bare_machine_misses_everything(tmp_path: Path) -> None:
    assert missing_packages(_a_machine(tmp_path)) == ["postgresql-postgis", "redis-server"]


def test_a_server_without_postgis_gets_its_own_postgis(tmp_path: Path) -> None:
    machine = _a_machine(tmp_path, *_postgres(14), *_postgres(16), "usr/bin/redis-server")

    assert missing_packages(machine) == ["postgresql-16-postgis-3"]


def test_the_newest_version_that_has_postgis_is_used(tmp_path: Path) -> None:
    machine = _a_machine(tmp_path, *_postgres(13), *_postgres(15), *_postgres(17), _postgis(13), _postgis(15))

    assert machine.usable_postgres() == 15
    assert missing_packages(machine) == ["redis-server"]


def test_client_programs_alone_are_no_server(tmp_path: Path) -> None:
    machine = _a_machine(tmp_path, "usr/lib/postgresql/15/bin/psql", _postgis(15))

    assert machine.postgres_versions() == []


def test_nothing_is_missed_of_a_server_that_is_named(tmp_path: Path) -> None:
    assert missing_packages(_a_machine(tmp_path), postgres=False, redis=False) == []


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose apt-get writes down what it was asked and installs nothing; its record."""
    record = tmp_path / "asked"
    commands = tmp_path / "bin"
    commands.mkdir()
    policy = tmp_path / "policy-rc.d"
    script = f'#!/bin/sh\necho "$DEBIAN_FRONTEND $([ -e {policy} ] && echo quiet) $*" >> {record}\n'
    (commands / "apt-get").write_text(script)
    (commands / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "_POLICY", str(policy))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return record


def test_root_installs_without_questions_and_without_starting_services(apt: Path) -> None:
    said: list[str] = []

    packages.install(["redis-server", "postgresql-postgis"], say=said.append)

    options = "-y -qq -o DPkg::Lock::Timeout=300"
    assert apt.read_text().splitlines() == [
        f"noninteractive  {options} update",
        f"noninteractive quiet {options} install --no-install-recommends redis-server postgresql-postgis",
    ]
    assert not apt.with_name("policy-rc.d").exists()
    assert said == ["Installing redis-server and postgresql-postgis with apt-get (once, a minute or two) ..."]


def test_what_apt_says_last_is_told(apt: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/apt-get").write_text("#!/bin/sh\necho 'E: No space left' >&2\nexit 100\n")

    with pytest.raises(InstallationFailed, match=r"^apt-get update failed: E: No space left$"):
        packages.install(["redis-server"], say=lambda _: None)


def test_without_the_right_to_install_the_command_is_told(
    apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (tmp_path / "bin/sudo").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/sudo").chmod(0o755)
    said: list[str] = []

    with pytest.raises(PackagesMissing) as refusal:
        packages.install(["redis-server"], say=said.append)

    assert (refusal.value.code, said) == (2, [])
    assert str(refusal.value) == (
        "A system package is missing, and only root may install it; "
        "run: sudo apt-get update && sudo apt-get install -y redis-server"
    )
    assert not apt.exists()
