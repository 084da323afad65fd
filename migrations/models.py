"""Importing this module makes every table of every context known to `Table.metadata`."""

import shared.billing.models
import shared.catalog.models
import shared.identity.models
import shared.inventory.models
import shared.kit.consumer
import shared.kit.outbox
import shared.licensing.models
import shared.media.models
import shared.notifications.models
import shared.operations.audit
import shared.operations.flags
import shared.orders.models
import shared.reviews.models  # noqa: F401
