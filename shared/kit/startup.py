"""The end of a function's start: everything is imported, and serving may begin."""

import gc

from shared.kit import config
from shared.kit.logging import metric


def finish(name: str) -> None:
    """Read all settings of function `name`, and let the collector look only at what is made from now on.

    Raises SettingMissing when a setting is not usable.
    """
    metric("instance_started", started=name)
    config.load_all()
    gc.freeze()
    gc.enable()
