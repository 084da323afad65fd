"""What every function promises in its manifest is what its code does."""

import re
from importlib import import_module

import pytest
from pydantic import ValidationError

from infra.imports import reach
from infra.manifest import load_all
from infra.openapi import routes_of, whole_document
from shared.events import topics
from shared.events.catalogue import CATALOGUE
from shared.kit.config import PREFIX, Settings
from shared.kit.dead_letters import DeadLetterKept
from shared.kit.http.openapi import error_codes
from shared.kit.schemas import Request
from shared.kit.tables import Table

MANIFESTS = load_all()
HTTP = [manifest.name for manifest in MANIFESTS if manifest.trigger.kind == "http"]
TOPIC = [manifest.name for manifest in MANIFESTS if manifest.trigger.kind == "topic"]


def subclasses(kind):
    return [inner for outer in kind.__subclasses__() for inner in (outer, *subclasses(outer))]


@pytest.fixture(scope="module")
def tables():
    """Those of all functions: one may delete from what only another has a model of."""
    for manifest in MANIFESTS:
        import_module(f"functions.{manifest.name}.main")
    return set(Table.metadata.tables)


@pytest.mark.parametrize("name", HTTP)
def test_every_route_is_guarded_summarised_and_under_the_functions_prefixes(name):
    manifest = next(manifest for manifest in MANIFESTS if manifest.name == name)

    for route in routes_of(name):
        assert callable(route.guard.admit), route.path
        assert route.summary.endswith("."), f"{route.name} has no summary"
        assert route.path.startswith(manifest.trigger.routes), route.path
        assert len({error.status for error in error_codes(route)}) >= 4


def test_no_route_is_served_twice():
    served = [(route.method, re.sub(r"<[^>]*>", "<>", route.path)) for name in HTTP for route in routes_of(name)]

    assert sorted(served) == sorted(set(served))


def test_every_example_of_a_body_validates():
    for name in HTTP:
        for route in routes_of(name):
            if route.body is not None:
                assert route.body.example, f"{route.body.__name__} has no example"
                route.body.model_validate(route.body.example)


def test_bodies_refuse_what_they_do_not_know():
    for body in subclasses(Request):
        if body.example:
            with pytest.raises(ValidationError, match="surprise"):
                body.model_validate({**body.example, "surprise": 1})


def test_every_reference_of_the_document_is_there():
    whole = whole_document()

    referred = set(re.findall(r"'#/components/schemas/([^']+)'", str(whole)))
    assert referred <= set(whole["components"]["schemas"])
    assert len(whole["paths"]) == len({re.sub(r"<[^>]*>", "<>", r.path) for name in HTTP for r in routes_of(name)})


def test_no_two_handlers_share_the_schema_of_their_answer():
    summaries: dict[str, set[str]] = {}
    for path in whole_document()["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if status in ("200", "201", "202") and "application/json" in answer.get("content", {}):
                    schema = answer["content"]["application/json"]["schema"]["$ref"]
                    summaries.setdefault(schema, set()).add(operation["summary"])

    assert {schema: told for schema, told in summaries.items() if len(told) > 1} == {}
    assert len(summaries) > 50


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_every_event_has_topics_and_an_example_that_fits(event_type):
    kind = CATALOGUE[event_type]

    assert kind.topics
    assert set(kind.topics) <= set(topics.ALL)
    event = kind.model_validate(kind.example)
    assert kind.model_validate(event.model_dump(mode="json")) == event
    assert event.aggregate_id


def test_manifests_name_events_that_exist():
    told = {event for manifest in MANIFESTS for event in (*manifest.events.publishes, *manifest.events.consumes)}

    assert told <= set(CATALOGUE)


@pytest.mark.parametrize("name", TOPIC)
def test_a_consumer_handles_what_its_manifest_says_and_its_topic_brings(name):
    manifest = next(manifest for manifest in MANIFESTS if manifest.name == name)
    handled = set(import_module(f"functions.{name}.main").main.consumer.handlers)

    assert handled == set(manifest.events.consumes)
    assert all(manifest.trigger.topic in CATALOGUE[event].topics for event in handled)


@pytest.mark.parametrize("name", [*TOPIC, "cron_publish_outbox"])
def test_whoever_may_give_up_on_an_event_says_that_it_is_told(name):
    manifest = next(manifest for manifest in MANIFESTS if manifest.name == name)

    assert DeadLetterKept.event_type() in manifest.events.publishes
    assert {"outbox_dlq", "outbox_events", "outbox_sequences"} <= set(manifest.data.writes)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.name)
def test_manifests_name_tables_that_exist(manifest, tables):
    assert set(manifest.data.writes) <= tables


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.name)
def test_functions_never_reach_other_functions(manifest):
    reached = reach([f"functions.{manifest.name}.main"]).modules

    own = ("functions", f"functions.{manifest.name}")
    assert [
        name for name in reached if name.startswith("functions") and not name.startswith(own[1]) and name != own[0]
    ] == []


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.name)
def test_a_function_is_told_every_setting_that_it_reads(manifest):
    """The settings groups of the modules that a function reaches, less those with a safe default."""
    modules = reach([f"functions.{manifest.name}.main"]).modules
    groups = [group for group in Settings.known if group.__module__ in modules]
    required = {
        PREFIX + name.upper() for group in groups for name, field in group.model_fields.items() if field.is_required()
    }

    assert required <= {*manifest.needs.settings, *manifest.needs.secrets}
