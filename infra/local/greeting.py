"""What a person is told once the stack is ready: where everything is, and what to try."""

from collections.abc import Sequence

from infra.local.clock import Schedule
from infra.local.console import heading
from infra.local.stack import LOGS, Stack


def greet(stack: Stack, jobs: Sequence[Schedule], marketplace: Sequence[str], *, took_s: float) -> None:
    """Print it, with what is told of the seeded marketplace."""
    url = stack.url.replace("127.0.0.1", "localhost")
    heading(f"Ready after {took_s:.1f} s: {url}")
    _print(
        {
            "routes": f"{url}/docs",
            "OpenAPI": f"{url}/openapi.json",
            "database": stack.database_url,
            "Redis": stack.redis_url,
            "Pub/Sub": f"{stack.pubsub_host}, its state at {stack.pubsub_control_url}/stats",
            "storage": stack.storage_url,
            "Square": f"{stack.square_url}, its state at {stack.square_url}/_control",
            "Maps": f"{stack.maps_url}, its state at {stack.maps_url}/_control",
            "mailbox": stack.mailbox_url.replace("127.0.0.1", "localhost"),
            "logs": str(LOGS),
        }
    )
    heading("The marketplace")
    print("\n".join(marketplace))
    heading("Try")
    _print(
        {"make demo": "the whole story, from registration to payout"}
        | {f"make fire JOB={job.name}": "a scheduled function, now" for job in jobs[:1]}
        | {"Ctrl-C": "stops everything"}
    )
    print(flush=True)


def _print(lines: dict[str, str]) -> None:
    width = max(len(name) for name in lines)
    for name, told in lines.items():
        print(f"  {name.ljust(width)}  {told}")
