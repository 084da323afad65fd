"""Whatever step of handling a consumer is killed at, the next delivery makes the effect happen once."""

import json
import os
import signal
import subprocess
import sys

import pytest
from redis import Redis
from sqlalchemy import func, select

from infra.local.paths import CHECKOUT
from shared.events.products import InventoryLow
from shared.identity.models import User
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.kit.outbox import OutboxEvent, emit
from shared.kit.redis import RedisSettings
from tests.deliveries import delivery_of
from tests.patience import PATIENCE_S
from tests.shared.kit.dying_consumer import STEPS, greeter


def a_delivery():
    product = new_id()
    with transaction() as session:
        emit(session, InventoryLow(product_id=product, vendor_store_id=product, available_qty=3, low_stock_threshold=5))
        return delivery_of(session.scalars(select(OutboxEvent)).one())


def greeted():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(User))


def lose_lease():
    """As if the minute that the dead one holds the event for were over."""
    with Redis.from_url(RedisSettings.current().redis_url, decode_responses=True) as client:
        held = [client.get(key) for key in client.scan_iter("pf:evt:processed:*")]
        client.flushdb()
    return held


@pytest.mark.parametrize(
    ("step", "effects_before", "lease"),
    [
        ("leased", 0, "working"),
        ("marked", 0, "working"),
        ("written", 0, "working"),
        ("committed", 1, "working"),
        ("kept", 1, "done"),
    ],
)
def test_killed_at_a_step(committed_database, step, effects_before, lease):
    delivery = a_delivery()
    command = [sys.executable, "-m", "tests.shared.kit.dying_consumer", step, committed_database]

    victim = subprocess.run(
        [*command, os.environ["PF_REDIS_URL"]],
        cwd=CHECKOUT,
        input=json.dumps(delivery),
        stdout=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    before = greeted()
    while_leased = greeter().deliver(delivery)
    held = lose_lease()
    afterwards = [greeter().deliver(delivery) for _ in range(2)]

    assert step in STEPS
    assert (victim.returncode, before) == (-signal.SIGKILL, effects_before)
    # Who holds the lease has it to themselves; what is done is acknowledged at once.
    assert (while_leased, held) == (lease == "done", [lease])
    assert (afterwards, greeted()) == ([True, True], 1)
