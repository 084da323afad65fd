"""Builds the bundle of one function, complete without this checkout: `python -m infra.stage NAME [--out DIR]`.

A bundle is the function's folder, the part of `shared` that it reaches, a main.py of one line and
requirements.txt pinned with hashes.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from infra.imports import Import, Reach, reach, source_of
from infra.local.paths import CHECKOUT
from infra.requirements import RequirementError, closure, declared_in, locked, pinned, provider_of

_MARK = ".staged"

# Loaded by name, so that no import statement shows it: what asks, and the distribution that it needs.
_LOADED_BY_NAME = {
    "sqlalchemy.create_engine": "pg8000",
    "pydantic.EmailStr": "email-validator",
}


class CannotStage(ValueError):
    """The function is not fit to run alone; the message is one sentence."""


def stage(name: str, out: Path, root: Path = CHECKOUT) -> Path:
    """Write the bundle of this function to `out`, replacing an earlier one. Raises CannotStage."""
    folder = root / "functions" / name
    if not (folder / "main.py").exists():
        raise CannotStage(f"There is no function {name!r}: functions/{name}/main.py does not exist.")
    reached = reach(_modules_in(folder, root), root)
    _refuse_what_stays_here(reached)
    requirements = _requirements(name, reached, root)
    _make_room(out)
    for file in _files(folder, reached, root):
        target = out / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    (out / "main.py").write_text(f"from functions.{name}.main import main  # noqa: F401\n")
    (out / "requirements.txt").write_text(requirements)
    return out


def needed_by(name: str, root: Path = CHECKOUT) -> dict[str, str]:
    """The distributions that the bundle asks for directly, each with one of our modules that does.

    Raises CannotStage when something is imported that nothing installed provides.
    """
    return _asked_for(reach(_modules_in(root / "functions" / name, root), root))


def _asked_for(reached: Reach) -> dict[str, str]:
    asked = {"functions-framework": "main"}
    for wanted, module in reached.outside.items():
        provider = _LOADED_BY_NAME.get(wanted.name)
        if provider is not None:
            asked.setdefault(provider, module)
        asked.setdefault(_provider(wanted, module), module)
    return asked


def _provider(wanted: Import, module: str) -> str:
    provider = provider_of(wanted.name)
    if provider is None:
        raise CannotStage(f"{module} imports {wanted.name}, which no installed distribution provides.")
    return provider


def _requirements(name: str, reached: Reach, root: Path) -> str:
    told = f"functions/{name}/requirements.txt"
    if not (root / told).exists():
        raise CannotStage(f"{told} does not exist.")
    declared = declared_in(root / told)
    names = {canonicalize_name(requirement.name) for requirement in declared}
    missing = [f"{asked} (imported by {module})" for asked, module in _asked_for(reached).items() if asked not in names]
    if missing:
        raise CannotStage(f"{told} does not declare {', '.join(sorted(missing))}.")
    try:
        return pinned(closure(declared), locked(root / "requirements.lock"))
    except RequirementError as error:
        raise CannotStage(f"{told}: {error}") from None


def _refuse_what_stays_here(reached: Reach) -> None:
    for module in sorted(reached.modules):
        if module.partition(".")[0] not in ("functions", "shared"):
            raise CannotStage(f"A function cannot import {module}: only functions/ and shared/ are deployed.")


def _files(folder: Path, reached: Reach, root: Path) -> Iterator[Path]:
    """The whole function folder, and of the rest what is reached, with the data files of reached packages."""
    yield from _content_of(folder)
    sources = [source for module in sorted(reached.modules) if (source := source_of(module, root))]
    yield from sources
    packages = {source.parent for source in sources if source.name == "__init__.py"} - {root / "functions"}
    for package in packages:
        yield from (file for file in _content_of(package) if file.suffix != ".py" and _package_of(file) == package)


def _content_of(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def _package_of(file: Path) -> Path:
    return next(parent for parent in file.parents if (parent / "__init__.py").exists())


def _modules_in(folder: Path, root: Path) -> list[str]:
    files = (file.relative_to(root).with_suffix("") for file in folder.rglob("*.py"))
    return [".".join(file.parts).removesuffix(".__init__") for file in files]


def _make_room(out: Path) -> None:
    """Remove an earlier bundle; anything else that lies there is not ours to remove."""
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise CannotStage(f"{out} holds something that is not a bundle; choose another place with --out.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / _MARK).touch()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.stage", description=__doc__)
    parser.add_argument("name", help="a folder of functions/")
    parser.add_argument("--out", type=Path, help="where to build it (default: dist/NAME)")
    parser.add_argument("--needs", action="store_true", help="only print what requirements.txt must declare")
    told = parser.parse_args(arguments)
    try:
        if told.needs:
            print("\n".join(sorted(needed_by(told.name))))
            return 0
        out = stage(told.name, told.out or CHECKOUT / "dist" / told.name)
    except CannotStage as refusal:
        print(refusal, file=sys.stderr)
        return 1
    files = sum(1 for _ in _content_of(out))
    print(f"{told.name} is staged in {out}: {files} files.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
