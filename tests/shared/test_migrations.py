"""The database's history leads to the models and back."""

import os
import warnings

import pytest
from alembic import command
from alembic.config import Config

from infra.local.databases import DatabaseServer
from infra.local.paths import CHECKOUT
from shared.kit.db import DatabaseSettings


@pytest.fixture
def empty_database(committed_database: str, monkeypatch: pytest.MonkeyPatch):
    """The settings point to a database without anything in it, for the length of the test."""
    server = DatabaseServer(committed_database)
    name = f"history_{os.getpid()}"
    server.create_database(name)
    monkeypatch.setenv("PF_DATABASE_URL", server.url(name))
    DatabaseSettings.forget()
    yield name
    monkeypatch.undo()
    DatabaseSettings.forget()
    server.drop_database(name)


def test_up_compares_with_the_models_and_down_and_up_again(empty_database):
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "migrations"))

    with warnings.catch_warnings():
        # Alembic cannot compare the expressions of generated columns, and says so for each.
        warnings.filterwarnings("ignore", message="Computed default on")
        command.upgrade(config, "head")
        command.check(config)
        command.downgrade(config, "base")
        command.upgrade(config, "head")
        command.check(config)
