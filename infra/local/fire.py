"""Runs a scheduled function of the running stack now: `python -m infra.local.fire cron_order_ttl`."""

import sys
import time

from infra.local import stack
from infra.local.clock import Clock, JobUnreachable, NoSuchJob, Schedule
from infra.manifest import Manifest, ScheduleTrigger, load_all


def schedules(running: stack.Stack, manifests: list[Manifest]) -> list[Schedule]:
    """The schedules of these functions, pointed at the running stack."""
    return [
        Schedule(manifest.name, trigger.schedule, trigger.time_zone, running.function_url(manifest.name))
        for manifest in manifests
        if isinstance(trigger := manifest.trigger, ScheduleTrigger)
    ]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("Say which job: make fire JOB=cron_order_ttl", file=sys.stderr)
        return 2
    [name] = arguments
    try:
        jobs = schedules(stack.get(), load_all())
        began = time.monotonic()
        status = Clock(jobs).fire(name)
    except NoSuchJob:
        print(f"There is no job {name!r}; there are {', '.join(job.name for job in jobs)}.", file=sys.stderr)
        return 2
    except (stack.NotUp, JobUnreachable) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{name} answered {status} after {time.monotonic() - began:.1f} s.")
    return 0 if status < 400 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
