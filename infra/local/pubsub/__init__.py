"""Pub/Sub on this machine: what the official clients and the push-triggered functions need of it.

Topics, subscriptions, pull and push as CloudEvents, ordering, retry with backoff and dead letters, in memory;
and trouble on demand. Where it is silent it follows Google's emulator, except that it keeps the bounds of the
service itself (acknowledgement deadlines, attributes), so that what runs here also runs there.
"""

from infra.local.pubsub.emulator import Emulator, running_emulator

__all__ = ["Emulator", "running_emulator"]
