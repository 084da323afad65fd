from dataclasses import dataclass
from pathlib import Path

import pytest

from infra import functions_map
from infra.functions_map import UnknownEvent, render
from infra.manifest import Manifest, load_all
from tests.infra.test_manifest import NOTIFY, ORDERS


@dataclass
class Kind:
    aggregate: str
    topics: tuple[str, ...]


CATALOGUE = {
    "order_decided": Kind("vendor_order", ("notifications", "media-process")),
    "jar_opened": Kind("jar", ()),
}


@pytest.fixture
def manifests(tmp_path: Path) -> list[Manifest]:
    for name, text in {"orders": ORDERS, "on_event_notify": NOTIFY}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "function.toml").write_text(text)
    return load_all(tmp_path)


def test_the_map_shows_functions_flows_and_events(manifests: list[Manifest]) -> None:
    assert render(manifests, CATALOGUE, {"A jar": "stateDiagram-v2\n    full --> empty: bear eat"}).splitlines() == [
        "# Functions and events",
        "",
        "Made from the manifests, the event catalogue and the tables of moves by `make map`; do not edit.",
        "",
        "## Called by clients",
        "",
        "| function | what it does | trigger | context | publishes | consumes |",
        "| --- | --- | --- | --- | --- | --- |",
        "| [orders](orders) | Buyer and vendor sides of an order | `/api/v1/orders`, `/api/v1/vendor/orders` "
        "| orders | `order_decided` |  |",
        "",
        "## Reacting to events",
        "",
        "| function | what it does | trigger | context | publishes | consumes |",
        "| --- | --- | --- | --- | --- | --- |",
        "| [on_event_notify](on_event_notify) | Tells people | topic `notifications` | notifications |  "
        "| `order_decided` |",
        "",
        "## How events flow",
        "",
        "```mermaid",
        "flowchart LR",
        "    topic_media_process([media-process])",
        "    topic_notifications([notifications])",
        "    orders --> topic_media_process",
        "    orders --> topic_notifications",
        "    topic_notifications --> on_event_notify",
        "```",
        "",
        "## Events",
        "",
        "| event | of | published by | topics | consumed by |",
        "| --- | --- | --- | --- | --- |",
        "| `jar_opened` | jar |  |  |  |",
        "| `order_decided` | vendor_order | orders | `notifications`, `media-process` | on_event_notify |",
        "",
        "## How orders move",
        "",
        "### A jar",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    full --> empty: bear eat",
        "```",
    ]


def test_an_event_that_the_catalogue_lacks_is_refused(manifests: list[Manifest]) -> None:
    with pytest.raises(UnknownEvent, match=r"^functions/on_event_notify: event 'order_decided' is not in"):
        render(manifests, {}, {})


def test_checking_writes_nothing_and_tells_stale_from_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    monkeypatch.setattr(functions_map, "README", readme)
    monkeypatch.setattr(functions_map, "load_all", list)

    assert functions_map.main(["--check"]) == 1
    assert not readme.exists()
    assert capsys.readouterr().err == "functions/README.md is stale; run `make map`.\n"
    assert functions_map.main([]) == 0
    assert functions_map.main(["--check"]) == 0
