"""Holds every function to its manifest while the tests run: the tables it writes and the events it publishes.

A statement sent on behalf of a function that its function.toml does not allow fails the test that sent it.
"""

import re
from typing import Any

from sqlalchemy import Engine, event

from infra.manifest import Manifest, load_all
from shared.kit.context import work

_WRITTEN = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?([a-z_]+)")
_EVENT_TYPE = re.compile(r'"event_type":"([a-z_]+)"')
# `ON CONFLICT DO UPDATE SET`, `FOR UPDATE SKIP` and the like are no tables; every function keeps these two.
_NO_TABLES = frozenset({"set", "skip", "of", "nowait"})
_EVERYWHERE = frozenset({"outbox_sequences", "processed_events", "outbox_dlq"})


class PromiseBroken(AssertionError):
    """A function did what its manifest does not say."""


def hold_functions_to_their_manifests() -> None:
    """From now on, check every statement that is sent on behalf of a known function."""
    manifests = {manifest.name: manifest for manifest in load_all()}

    def check(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: bool) -> None:
        manifest = manifests.get(work().function)
        if manifest is not None:
            _check_tables(manifest, statement)
            # An event gets its number when it is emitted; one that is sent again has it, and is nobody's promise.
            if "INSERT INTO outbox_sequences" in statement:
                _check_events(manifest, parameters)

    event.listen(Engine, "before_cursor_execute", check)


def _check_tables(manifest: Manifest, statement: str) -> None:
    written = set(_WRITTEN.findall(statement)) - _NO_TABLES - _EVERYWHERE
    undeclared = written - set(manifest.data.writes)
    if undeclared:
        raise PromiseBroken(f"functions/{manifest.name}/function.toml does not list writes to {sorted(undeclared)}")


def _check_events(manifest: Manifest, parameters: Any) -> None:
    published = set(_EVENT_TYPE.findall(str(parameters)))
    undeclared = published - set(manifest.events.publishes)
    if undeclared:
        raise PromiseBroken(f"functions/{manifest.name}/function.toml does not publish {sorted(undeclared)}")
