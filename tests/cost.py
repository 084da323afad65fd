"""What requests cost: SQL statements and Redis round trips, as the log lines of the requests tell them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.kit import logging


@dataclass
class Cost:
    """Sums over the requests, deliveries and jobs of a block."""

    requests: int = 0
    sql: int = 0
    redis: int = 0


@contextmanager
def counting() -> Iterator[Cost]:
    """Count what the requests within the block cost."""
    cost = Cost()

    def hear(line: str) -> None:
        told = json.loads(line)
        if "sql_statements" in told:
            cost.requests += 1
            cost.sql += told["sql_statements"]
            cost.redis += told.get("redis_trips", 0)

    stop = logging.listen(hear)
    try:
        yield cost
    finally:
        stop()
