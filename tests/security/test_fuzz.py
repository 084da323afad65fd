"""Every route of the document, called by everybody with generated data: no 5xx, and every answer as documented.

Schemathesis makes the data from the document, good and bad; half of the ids in it are of what is really there.
"""

import itertools
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Connection

from infra.manifest import load_all
from infra.openapi import routes_of
from shared.kit import db, limits
from shared.kit.http.openapi import document
from tests.api import Client
from tests.maps import fresh_maps, maps_server
from tests.security.catalogue import client_of
from tests.security.fuzzed_world import CALLERS, Inhabited, settle
from tests.security.specification import RULES
from tests.square import fresh_square, square_server

__all__ = ["fresh_maps", "fresh_square", "maps_server", "square_server"]

pytestmark = pytest.mark.usefixtures("committed_database", "square", "maps")

FUNCTIONS = [manifest.name for manifest in load_all() if manifest.trigger.kind == "http"]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 16
"""For each route; each is sent by everybody whom the route lets in, and some by everybody else."""
_ids: list[str] = []
_numbers = itertools.count(1)

schemathesis.openapi.format(
    "uuid", st.one_of(st.uuids().map(str), st.integers(0, 10_000).map(lambda n: _ids[n % len(_ids)]))
)


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for limit in {limit for name in FUNCTIONS for route in routes_of(name) for limit in route.limits}:
        monkeypatch.setenv(f"PF_LIMIT_{limit.name.upper()}", "1000000/minute")
    limits._rate.cache_clear()
    yield
    limits._rate.cache_clear()


def operations_of(function: str) -> list[APIOperation]:
    """What the document says of a function's routes, to be called in this process."""
    schema = schemathesis.openapi.from_dict(document(function, routes_of(function)))
    schema.app = client_of(function).client.application
    return [found.ok() for found in schema.get_all_operations()]


def lets_in(operation: APIOperation, caller: str) -> bool:
    """Whether the specification's table lets a caller of this kind call at all."""
    rule = RULES[operation.label]
    return rule.kind in {"anyone", "user", "user*", caller} or (rule.kind == "member" and caller in rule.store_types)


def fuzz(operation: APIOperation, inhabited: Inhabited, connection: Connection) -> None:
    """Call a route as everybody, again and again with other data, each time in the same world."""
    good, bad = (operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    client = Client(operation.app.test_client())
    may = [caller for caller in CALLERS if lets_in(operation, caller)]
    may_not = [caller for caller in CALLERS if caller not in may]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(good, good, bad), n=st.integers(0, 1_000), is_real=st.sampled_from([True, True, False]))
    def call(case: Case, n: int, is_real: bool) -> None:
        for name in inhabited.ids if is_real else ():
            if name in case.path_parameters:
                case.path_parameters[name] = inhabited.ids[name][n % len(inhabited.ids[name])]
        for caller in (*may, *(may_not if n == 0 else ())):
            token = inhabited.calling_as(caller, client).token
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            if n % 16:
                headers["Idempotency-Key"] = f"fuzz-{next(_numbers)}"
            undone = connection.begin_nested()
            try:
                case.call_and_validate(headers=headers, checks=CHECKS)
            finally:
                undone.rollback()

    call()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_route_answers_as_documented_whatever_it_is_sent(function):
    with db.pinned_connection() as connection:
        inhabited = settle()
        _ids[:] = sorted({id_ for ids in inhabited.ids.values() for id_ in ids})
        for operation in operations_of(function):
            fuzz(operation, inhabited, connection)
