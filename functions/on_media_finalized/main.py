"""Cloud Storage says that an upload is complete: it is checked, and confirmed or refused.

Told of every object finalized in the private bucket. Publishes media_uploaded.
"""

import shared.identity.models  # noqa: F401 - media belong to stores, and a flush must know their table
from shared.kit.object_trigger import FinalizedObject, ObjectTrigger
from shared.media import finalize
from shared.media.storage import check_storage

trigger = ObjectTrigger("on_media_finalized")


@trigger.on_finalized
def confirm(finalized: FinalizedObject) -> str:
    """Once for each generation of an object; repeats, latecomers and strangers change nothing."""
    return finalize.finalize(finalized)


main = trigger.entry_point(storage=check_storage)
