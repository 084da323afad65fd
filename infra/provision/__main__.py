"""Makes what the functions need in a project: `python -m infra.provision --endpoint URL [--dry-run]`.

Uses the credentials of `gcloud auth application-default login`, or the emulator of PUBSUB_EMULATOR_HOST.
"""

import argparse
import os
import sys

from google.auth.exceptions import DefaultCredentialsError

from infra.manifest import load, load_all
from infra.provision import monitoring
from infra.provision.monitoring import Watching
from infra.provision.pubsub import Clients, Delivery, plan
from infra.provision.steps import Step, carry_out


def main(arguments: list[str] | None = None) -> int:
    told = _parser().parse_args(arguments)
    delivery = Delivery(
        endpoint=told.endpoint,
        minimum_backoff_s=told.minimum_backoff,
        maximum_backoff_s=told.maximum_backoff,
        service_account=told.service_account,
    )
    clients, manifests = Clients(told.project), [load(name) for name in told.names] or load_all()
    watched = not told.names and not os.environ.get("PUBSUB_EMULATOR_HOST")  # the emulator has nobody who watches

    def planned(*, compare: bool) -> list[Step]:
        steps = plan(clients, manifests, delivery, compare=compare)
        if not watched:
            return steps
        watching, named = Watching(told.project), {"email": told.alert_email, "runbooks": told.repository_url}
        return steps + monitoring.plan(watching, manifests, **named, compare=compare)

    try:
        steps = planned(compare=True)
    except DefaultCredentialsError:
        if not told.dry_run:
            print("There are no credentials; run `gcloud auth application-default login`.", file=sys.stderr)
            return 2
        print(f"There are no credentials to look at {told.project} with: this is the plan for an empty project.")
        steps = planned(compare=False)
    if told.dry_run:
        print("\n".join(str(step) for step in steps))
        return 0
    carry_out(steps, say=print)
    kept = sum(step.verb == "keep" for step in steps)
    print(f"{len(steps) - kept} changed, {kept} as wanted.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.provision", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions to provide for (default: all)")
    parser.add_argument("--project", default=os.environ.get("PF_GCP_PROJECT", "packfinderz-local"))
    parser.add_argument(
        "--endpoint",
        default=os.environ.get("PF_PUSH_ENDPOINT", "http://localhost:8080/_functions/{name}"),
        help="where a function is called; {name} stands for its name",
    )
    parser.add_argument("--service-account", default=os.environ.get("PF_PUSH_SERVICE_ACCOUNT", ""))
    parser.add_argument("--alert-email", default=os.environ.get("PF_ALERT_EMAIL", ""), help="whom alerts are sent to")
    parser.add_argument(
        "--repository-url",
        default=os.environ.get("PF_REPOSITORY_URL", ""),
        help="where this repository can be read, for the links of alerts to runbooks",
    )
    parser.add_argument("--minimum-backoff", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--maximum-backoff", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and change nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
