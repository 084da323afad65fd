"""The end of a function's start: everything is imported, and serving may begin."""

import gc

from shared.kit import config


def finish() -> None:
    """Read all settings, and let the collector look only at what is made from now on.

    Raises SettingMissing when a setting is not usable.
    """
    config.load_all()
    gc.freeze()
    gc.enable()
