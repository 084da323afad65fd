"""Functions as the cloud serves them: each an application that functions-framework builds from a main.py."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.manifest import Manifest
from shared.kit.logging import log

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True)
class Served:
    """A function and its application; or, when it does not start, the sentence that says why."""

    manifest: Manifest
    app: "WSGIApplication | None"
    failure: str | None = None

    @property
    def name(self) -> str:
        return self.manifest.name


def load(manifests: Iterable[Manifest], bundles: Path, *, say: Callable[[str], None] = print) -> list[Served]:
    """Start each function. One that fails says why and leaves the others alone."""
    served = [_load(manifest, bundles) for manifest in manifests]
    for one in served:
        if one.failure:
            say(f"Function {one.name} does not start: {one.failure}")
    return served


def _load(manifest: Manifest, bundles: Path) -> Served:
    source = bundles / manifest.name / "main.py"
    source.parent.mkdir(parents=True, exist_ok=True)
    # As in a bundle: by its module's name, or the function's own main.py would run a second time as `main`.
    source.write_text(f"from functions.{manifest.name}.main import main  # noqa: F401\n")
    try:
        return Served(manifest, _application(source))
    except (Exception, SystemExit) as error:
        log.error("function_failed_to_start", started=manifest.name, stack=traceback.format_exc().splitlines()[-12:])
        return Served(manifest, None, f"{type(error).__name__}: {error}")


def _application(source: Path) -> Any:
    """What functions-framework makes of the `main` in this file."""
    import functions_framework

    create_app: Any = functions_framework.create_app
    return create_app(target="main", source=str(source))
