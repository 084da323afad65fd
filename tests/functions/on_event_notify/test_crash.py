"""A consumer that is killed between handing a mail over and marking it: that mail comes twice, no other does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from infra.local.mailbox import StandIn
from infra.local.paths import CHECKOUT
from infra.local.processes import wait_until
from shared.events.orders import OrderExpired
from shared.kit import redis
from shared.kit.ids import new_id
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.functions.on_event_notify.deliveries import delivered, end_claims, outcomes
from tests.patience import PATIENCE_S

_DELIVER = (
    "import json, sys; from functions.on_event_notify.main import main; main.consumer.deliver(json.load(sys.stdin))"
)


def killed_while_handling(delivery: dict[str, Any], until: Callable[[], bool]) -> None:
    """Let another process handle a delivery, and kill it the moment `until` holds."""
    process = subprocess.Popen(
        [sys.executable, "-c", _DELIVER],
        cwd=CHECKOUT,
        env=os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        process.stdin.write(json.dumps(delivery))
        process.stdin.close()
        assert wait_until(until, timeout_s=PATIENCE_S)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=PATIENCE_S)


def test_killed_between_handing_over_and_marking(
    committed_database: str,
    consumer: Any,
    sendgrid: StandIn,
) -> None:
    buyer = a_buyer()
    first, second, third = (a_member(buyer) for _ in range(3))
    event = OrderExpired(order_id=new_id(), order_number=1001, buyer_store_id=buyer.id, vendor_store_id=a_vendor().id)
    delivery = delivered(event)
    sendgrid.slow_down(delay_ms=0)
    sendgrid.slow_down(delay_ms=600_000, after=True)
    killed_while_handling(delivery, until=lambda: len(sendgrid.taken) == 2)
    assert outcomes() == [("sent", 1, None), ("pending", 1, None), ("pending", 1, None)]

    while_leased = consumer.deliver(delivery)
    redis.client().flushdb()
    while_claimed = consumer.deliver(delivery)
    end_claims()
    afterwards = consumer.deliver(delivery)

    assert (while_leased, while_claimed, afterwards) == (False, False, True)
    told = [one["personalizations"][0]["to"][0]["email"] for one in sendgrid.taken]
    assert told == [first.email, second.email, second.email, third.email]
    repeated = [mail.message_id for mail in sendgrid.mails if second.email in mail.to]
    assert len(repeated) == 2
    assert len(set(repeated)) == 1
    assert outcomes() == [("sent", 1, None), ("sent", 2, None), ("sent", 2, None)]
