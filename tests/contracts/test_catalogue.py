"""The catalogue is the specified one: every event has who tells of it, who hears of it, an example and a mail."""

import ast
from functools import cache
from importlib import import_module

import pytest

from infra.imports import reach, source_of
from infra.manifest import load_all
from shared.events import topics
from shared.events.catalogue import CATALOGUE
from shared.notifications.rendering import TEMPLATES
from tests.contracts.specification import AWAITING_THEIR_FUNCTION, EVENTS, FUNCTION_OF

MANIFESTS = {manifest.name: manifest for manifest in load_all()}
LISTENING = {manifest.topic: name for name, manifest in MANIFESTS.items() if manifest.topic}

every_event = pytest.mark.parametrize("event_type", sorted(CATALOGUE))


def publishers_of(event_type: str) -> set[str]:
    return {name for name, manifest in MANIFESTS.items() if event_type in manifest.events.publishes}


@cache
def made_by(function: str) -> set[str]:
    """The names of all that is made or called in what a function reaches, the events' own modules aside."""
    modules = reach([f"functions.{function}.main"]).modules
    files = [source_of(module) for module in modules if not module.startswith("shared.events")]
    nodes = (node for file in files if file for node in ast.walk(ast.parse(file.read_text())))
    return {_called(node.func) for node in nodes if isinstance(node, ast.Call)}


def _called(func: ast.expr) -> str:
    """`Thing` for `Thing(…)`, `things.Thing(…)` and `Thing.model_validate(…)`."""
    if isinstance(func, ast.Attribute):
        return _called(func.value) if func.attr == "model_validate" else func.attr
    return func.id if isinstance(func, ast.Name) else ""


def test_the_topics_are_the_specified_ones_and_each_has_its_function_unless_that_is_awaited():
    assert set(topics.ALL) == set(FUNCTION_OF)
    assert {
        topic: function for topic, function in FUNCTION_OF.items() if topic not in AWAITING_THEIR_FUNCTION
    } == LISTENING


def test_the_events_are_the_specified_ones_unless_nobody_is_there_yet_to_tell_of_them():
    without_emitter = {event for event, specified in EVENTS.items() if not MANIFESTS.keys() & set(specified.emitters)}

    assert set(EVENTS) - set(CATALOGUE) == without_emitter
    assert set(CATALOGUE) - set(EVENTS) == set()


@every_event
def test_an_event_is_of_the_specified_aggregate_and_goes_to_the_specified_topics(event_type):
    kind, specified = CATALOGUE[event_type], EVENTS[event_type]

    assert (kind.aggregate, set(kind.topics)) == (specified.aggregate, set(specified.topics))


@every_event
def test_an_event_has_a_producer_that_makes_it(event_type):
    publishers = publishers_of(event_type)

    assert publishers & set(EVENTS[event_type].emitters)
    silent = {name for name in publishers if CATALOGUE[event_type].__name__ not in made_by(name)}
    assert silent == set()


@every_event
def test_an_event_has_a_consumer_on_each_of_its_topics_unless_that_is_awaited(event_type):
    heard_on = {
        manifest.topic
        for name, manifest in MANIFESTS.items()
        if manifest.topic and event_type in import_module(f"functions.{name}.main").main.consumer.handlers
    }

    assert heard_on == set(CATALOGUE[event_type].topics) - AWAITING_THEIR_FUNCTION


@every_event
def test_an_event_has_an_example_of_every_field_of_its_payload(event_type):
    kind = CATALOGUE[event_type]

    assert set(kind.example) == set(kind.model_fields)
    assert kind.model_validate(kind.example)


@every_event
def test_an_event_of_which_people_are_told_has_a_mail_in_both_forms(event_type):
    template = TEMPLATES / f"{event_type}.jinja"

    assert template.exists() == ("notifications" in CATALOGUE[event_type].topics)
    if template.exists():
        # One template for both: the layout that it fills in is that of the form.
        assert template.read_text().startswith("{% extends layout %}\n")
        assert {file.name for file in TEMPLATES.glob("layout.*")} == {"layout.html", "layout.text"}
