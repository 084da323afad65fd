"""Plays the story: `python -m infra.local.demo`. Starts the stack when it is not up, and stops it again then."""

import sys
import time

import httpx

from infra.local.console import BOLD, GREEN, RED, failed, heading, note, styled
from infra.local.demo.acts import ACTS
from infra.local.demo.expectations import Unexpected
from infra.local.demo.story import Story
from infra.local.processes import ServerFailed
from infra.local.stack import LOGS, Stack, ensure_stack, find

_LONGEST_CALL_S = 30.0


def main() -> int:
    if find() is None:
        print("The local stack is not up; starting it for the demo.", flush=True)
    try:
        with ensure_stack() as stack:
            return play(stack)
    except ServerFailed as error:
        failed(str(error))
    except KeyboardInterrupt:
        failed("Broken off.")
    return 1


def play(stack: Stack) -> int:
    """All acts in turn; the exit code, 1 at the first thing that is not as it should be."""
    began = time.monotonic()
    with httpx.Client(base_url=stack.url, timeout=_LONGEST_CALL_S) as http:
        story = Story(stack, http)
        for number, (title, act) in enumerate(ACTS, start=1):
            heading(f"{number}  {title}")
            try:
                act(story)
            except (Unexpected, httpx.TransportError) as error:
                print(f"\n{styled('Not as it should be:', RED)} {error}")
                note(f"The functions' log is {LOGS / 'gateway.log'}")
                return 1
    took_s = time.monotonic() - began
    print(f"\n{styled('✓', GREEN)} {styled(f'The whole story in {took_s:.1f} s, and the books agree.', BOLD)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
