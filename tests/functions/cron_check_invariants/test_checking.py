"""The nightly look: what it answers, and what it tells."""

import json

import pytest
from sqlalchemy import text

from shared.kit import logging
from shared.kit.db import transaction
from shared.operations.checks import CHECKS
from tests.builders.stores import a_buyer
from tests.jobs import fire_job


@pytest.fixture
def fire():
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.cron_check_invariants.main import main

    return lambda: fire_job(main)


@pytest.fixture
def lines():
    heard = []
    stop = logging.listen(lambda line: heard.append(json.loads(line)))
    yield heard
    stop()


def metrics(lines):
    return {line["check"]: line["value"] for line in lines if line.get("metric") == "invariant_violations"}


def test_when_all_holds_every_check_measures_nothing(fire, lines):
    assert fire() == {"hold": len(CHECKS), "broken": 0, "unchecked": 0, "violations": 0}

    assert metrics(lines) == dict.fromkeys(CHECKS, 0)
    assert [line for line in lines if line["severity"] == "ERROR"] == []


def test_what_does_not_hold_is_named_measured_and_left_as_it_is(fire, lines):
    store = a_buyer()

    done = fire()

    told = [
        (line["message"], line["check"], line["subject"], line["detail"])
        for line in lines
        if line["severity"] == "ERROR"
    ]
    detail = "is verified, its licenses say pending_verification"
    assert done == {"hold": len(CHECKS) - 1, "broken": 1, "unchecked": 0, "violations": 1}
    assert told == [("invariant_broken", "kyc_mirrors_licenses", str(store.id), detail)]
    assert metrics(lines) == dict.fromkeys(CHECKS, 0) | {"kyc_mirrors_licenses": 1}
    with transaction() as session:
        assert session.scalar(text("SELECT kyc_status FROM stores")) == "verified"
