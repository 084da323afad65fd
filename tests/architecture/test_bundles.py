"""Every bundle boots with nothing but what it declares, and answers."""

import json
from pathlib import Path

import pytest

from infra.local.paths import CHECKOUT
from infra.manifest import load_all
from infra.stage import stage
from tests.bundles import link_distributions, served


@pytest.mark.parametrize("name", [manifest.name for manifest in load_all()])
def test_a_bundle_boots_alone_and_answers_its_health_route(name, tmp_path: Path):
    site = tmp_path / "site"
    link_distributions(CHECKOUT / "functions" / name / "requirements.txt", site)

    with served(stage(name, tmp_path / "bundle"), site) as connection:
        connection.request("GET", "/health/live")
        answer = connection.getresponse()

        assert (answer.status, json.loads(answer.read())) == (200, {"data": {"status": "ok"}})
