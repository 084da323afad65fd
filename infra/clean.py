"""Removes what can be made again (caches, bundles), never the local stack's data: `python -m infra.clean`."""

import shutil

from infra.local.paths import CHECKOUT

_CACHES = (".mypy_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache", "dist")


def main() -> None:
    kept = (CHECKOUT / ".venv", CHECKOUT / ".git")
    compiled = [place for place in CHECKOUT.rglob("__pycache__") if not any(place.is_relative_to(k) for k in kept)]
    for place in [CHECKOUT / name for name in _CACHES] + compiled:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
