"""Takes events from the outbox to their topics: at least once, and for each aggregate in sequence."""

from shared.kit.publishing.messages import Unpublishable
from shared.kit.publishing.publisher import Publisher, PublishingSettings, Topics

__all__ = ["Publisher", "PublishingSettings", "Topics", "Unpublishable"]
