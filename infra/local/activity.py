"""What the functions say in their logs, as the few lines that a person wants to see while the stack runs."""

import json
from typing import Any

from infra.local.console import CYAN, DIM, RED, YELLOW, styled

_SHOWN = ('"message": "request"', '"severity": "WARNING"', '"severity": "ERROR"', '"message": "job_finished"')


def line_of(said: str) -> str | None:
    """A line for the terminal; None for what only the log file keeps."""
    if not said.startswith("{"):
        return said or None
    if not any(mark in said for mark in _SHOWN):
        return None
    try:
        told: dict[str, Any] = json.loads(said)
    except ValueError:
        return None
    at = styled(str(told.get("time", ""))[11:19], DIM)
    return f"  {at}  {_request(told) if told.get('message') == 'request' else _event(told)}"


def _request(told: dict[str, Any]) -> str:
    status = int(told["status"])
    shown = styled(str(status), RED if status >= 500 else YELLOW if status >= 400 else CYAN)
    code = f" {told['error_code']}" if told.get("error_code") else ""
    took = styled(f"{told['duration_ms']:.0f} ms, {told['sql_statements']} statements", DIM)
    return f"{shown}  {told['method']} {told['route']}{code}  {took}"


def _event(told: dict[str, Any]) -> str:
    colour = {"ERROR": RED, "WARNING": YELLOW}.get(str(told["severity"]), DIM)
    kept = ("error_type", "outcome", "event_type", "published", "retried", "dead", "dependency", "request_id")
    facts = ", ".join(f"{name} {told[name]}" for name in kept if told.get(name))
    return f"{styled(str(told['message']), colour)}  {told.get('function', '')}  {styled(facts, DIM)}"
