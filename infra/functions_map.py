"""Writes functions/README.md, the map of functions and events, and of how orders move.

`python -m infra.functions_map [--check]`.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from infra.manifest import FUNCTIONS, Manifest, load_all

README = FUNCTIONS / "README.md"
_KINDS = {"http": "Called by clients", "topic": "Reacting to events", "storage": "Reacting to files"} | {
    "schedule": "On schedule"
}


class EventKind(Protocol):
    """What the catalogue says of an event type."""

    aggregate: str
    topics: tuple[str, ...]


Catalogue = Mapping[str, EventKind]


class UnknownEvent(ValueError):
    """A manifest names an event that the catalogue does not have."""


def render(manifests: list[Manifest], catalogue: Catalogue, lives: Mapping[str, str]) -> str:
    """The whole file; `lives` are state diagrams by what moves so. Raises UnknownEvent."""
    for manifest in manifests:
        for event in (*manifest.events.publishes, *manifest.events.consumes):
            if event not in catalogue:
                raise UnknownEvent(f"functions/{manifest.name}: event {event!r} is not in the catalogue.")
    parts = [
        "# Functions and events",
        "",
        "Made from the manifests, the event catalogue and the tables of moves by `make map`; do not edit.",
        "",
        *_functions(manifests),
        "## How events flow",
        "",
        *_diagram(manifests, catalogue),
        "",
        "## Events",
        "",
        *_events(manifests, catalogue),
        "",
        "## How orders move",
        *(line for noun, life in lives.items() for line in ("", f"### {noun}", "", "```mermaid", life, "```")),
    ]
    return "\n".join(parts) + "\n"


def _functions(manifests: list[Manifest]) -> Iterable[str]:
    for kind, title in _KINDS.items():
        chosen = [manifest for manifest in manifests if manifest.trigger.kind == kind]
        if chosen:
            yield from (f"## {title}", "")
            yield from _table(
                ("function", "what it does", "trigger", "context", "publishes", "consumes"),
                (_row(manifest) for manifest in chosen),
            )
            yield ""


def _row(manifest: Manifest) -> tuple[str, ...]:
    trigger = _codes(manifest.routes) or str(manifest.trigger)
    return (
        f"[{manifest.name}]({manifest.name})",
        manifest.summary,
        trigger,
        manifest.context,
        _codes(manifest.events.publishes),
        _codes(manifest.events.consumes),
    )


def _events(manifests: list[Manifest], catalogue: Catalogue) -> Iterable[str]:
    def row(event: str) -> tuple[str, ...]:
        kind = catalogue[event]
        by = (manifest.name for manifest in manifests if event in manifest.events.publishes)
        to = (manifest.name for manifest in manifests if event in manifest.events.consumes)
        return (f"`{event}`", kind.aggregate, ", ".join(by), _codes(kind.topics), ", ".join(to))

    return _table(("event", "of", "published by", "topics", "consumed by"), map(row, sorted(catalogue)))


def _diagram(manifests: list[Manifest], catalogue: Catalogue) -> Iterable[str]:
    """Function → topic → function; which events those are stands in the table."""
    out = {
        (manifest.name, topic)
        for manifest in manifests
        for event in manifest.events.publishes
        for topic in catalogue[event].topics
    }
    into = {(manifest.topic, manifest.name) for manifest in manifests if manifest.topic}
    yield from ("```mermaid", "flowchart LR")
    for topic in sorted({topic for _, topic in out} | {topic for topic, _ in into}):
        yield f"    {_node(topic)}([{topic}])"
    for name, topic in sorted(out):
        yield f"    {name} --> {_node(topic)}"
    for topic, name in sorted(into):
        yield f"    {_node(topic)} --> {name}"
    yield "```"


def _node(topic: str) -> str:
    return f"topic_{topic.replace('-', '_')}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    for row in (heads, ("---",) * len(heads), *rows):
        yield f"| {' | '.join(row)} |"


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.functions_map", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the map is stale")
    check: bool = parser.parse_args(arguments).check
    return _write(README, of_today(), check=check)


def of_today() -> str:
    """The whole file as it must be now. Raises UnknownEvent."""
    from shared.events.catalogue import CATALOGUE
    from shared.orders.lifecycle import LINES, ORDERS
    from shared.orders.payments import INTENTS

    lives = {machine.noun: machine.diagram() for machine in (ORDERS, LINES, INTENTS)}
    return render(load_all(), CATALOGUE, lives)


def _write(file: Path, text: str, *, check: bool) -> int:
    if file.exists() and file.read_text() == text:
        return 0
    if check:
        print("functions/README.md is stale; run `make map`.", file=sys.stderr)
        return 1
    file.write_text(text)
    print("functions/README.md written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
