"""The short version of `make chaos`: every strike once, under little load."""

import os
import subprocess
import sys

from infra.local.paths import CHECKOUT

# What other tests of this process started is theirs.
_THEIRS = ("PF_", "PUBSUB_", "STORAGE_", "GOOGLE_")


def test_whatever_breaks_every_effect_happens_once_and_nothing_is_lost():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_THEIRS)}

    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--short"],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )

    assert done.returncode == 0, done.stdout
    assert "\n0 of 29 verdicts do not hold; seed " in done.stdout
