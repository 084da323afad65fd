"""Distributions: which one provides an import, what it needs itself, and its pins in requirements.lock."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.local.paths import CHECKOUT

LOCK = CHECKOUT / "requirements.lock"

# Where bundles run, whatever machine stages them.
_CLOUD = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "linux",
}
_MODULE_FILE = re.compile(r"^(?P<module>[\w/]+?)(?:/__init__)?(?:\.\w[\w-]*)?\.(?:py|so)$")


class RequirementError(ValueError):
    """A distribution is not installed, not locked, or installed in another version than locked."""


@dataclass(frozen=True)
class Pin:
    """One distribution's lines in the lock, hashes included."""

    version: str
    lines: str


def declared_in(file: Path) -> list[Requirement]:
    """The requirements of a plain requirements.txt, comments left out."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def locked(lock: Path = LOCK) -> dict[str, Pin]:
    """The lock by distribution, as it holds in the cloud: a distribution may be locked twice, under markers."""
    pins: dict[str, Pin] = {}
    for block in re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE):
        header = re.match(r"(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\\n]+))?", block)
        if header and (header["marker"] is None or Marker(header["marker"]).evaluate(_CLOUD)):
            lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
            pins[canonicalize_name(header["name"])] = Pin(header["version"], "\n".join(lines))
    return pins


def closure(requirements: Iterable[Requirement]) -> dict[str, str]:
    """These distributions and all that they need in the cloud, with their versions. Raises RequirementError."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        installed = _installed(requirement.name)
        name = canonicalize_name(requirement.name)
        found[name] = installed.version
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting.extend(_needed_by(installed, extra))
    return found


def pinned(versions: Mapping[str, str], pins: Mapping[str, Pin]) -> str:
    """The text of a requirements.txt with exact versions and hashes. Raises RequirementError."""
    for name, version in versions.items():
        if name not in pins:
            raise RequirementError(f"{name} is not in requirements.lock; add it to pyproject.toml and run `make lock`.")
        if pins[name].version != version:
            raise RequirementError(f"{name} {version} is installed, {pins[name].version} is locked; run `make setup`.")
    return "".join(f"{pins[name].lines}\n" for name in sorted(versions))


def provider_of(imported: str) -> str | None:
    """The distribution that brings this dotted name; None when nothing installed does."""
    parts = imported.split(".")
    providers = _providers()
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((providers[prefix] for prefix in prefixes if prefix in providers), None)


@cache
def _providers() -> dict[str, str]:
    """Module to distribution. Namespace packages (`google`) are no distribution's own and do not appear."""
    providers: dict[str, str] = {}
    for installed in distributions():
        name = canonicalize_name(installed.name)
        for file in installed.files or ():
            match = _MODULE_FILE.match(str(file))
            if match:
                providers[match["module"].replace("/", ".")] = name
    return providers


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise RequirementError(f"{name} is not installed; add it to pyproject.toml, run `make lock setup`.") from None


def _needed_by(installed: Distribution, extra: str) -> list[Requirement]:
    """What it needs for this extra (or, for none, always)."""
    needed = [Requirement(line) for line in installed.requires or ()]
    return [
        requirement
        for requirement in needed
        if (requirement.marker is None and not extra)
        or (requirement.marker is not None and requirement.marker.evaluate(_CLOUD | {"extra": extra}))
    ]
