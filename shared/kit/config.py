"""Typed settings read once from the environment; each module asks only for the group that it uses.

A group is a `Settings` subclass; the field `database_url` is read from `PF_DATABASE_URL`.
Importing a module makes its groups known, and a function's entry point loads every known
group before it serves, so that a missing value stops the function at start.
"""

import os
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

PREFIX = "PF_"


class SettingMissing(SystemExit):
    """A setting is absent or malformed; the message names it and says what is expected."""


class Settings(BaseModel):
    """One group of settings. Subclasses declare typed fields, with defaults where a default is safe."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    known: ClassVar[list[type["Settings"]]] = []
    _loaded: ClassVar["Settings | None"] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Settings.known.append(cls)

    @classmethod
    def current(cls) -> Self:
        """The values of this group, read from the environment the first time. Raises SettingMissing."""
        if not isinstance(cls._loaded, cls):
            cls._loaded = cls._read()
        return cls._loaded

    @classmethod
    def forget(cls) -> None:
        """Read the environment again at the next use. For tests."""
        cls._loaded = None

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """The names of the environment variables of this group."""
        return tuple(PREFIX + name.upper() for name in cls.model_fields)

    @classmethod
    def _read(cls) -> Self:
        present = {
            name: os.environ[PREFIX + name.upper()]
            for name in cls.model_fields
            if os.environ.get(PREFIX + name.upper(), "") != ""
        }
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            variable = PREFIX + str(first["loc"][0]).upper()
            raise SettingMissing(f"Setting {variable} is not usable: {first['msg'].lower()}.") from None


def load_all() -> None:
    """Read every group that has been imported. Raises SettingMissing for the first that fails."""
    for group in Settings.known:
        group.current()


class CommonSettings(Settings):
    """What every function is told about where it runs."""

    environment: str = "development"
    gcp_project: str = "packfinderz-local"
    time_zone: str = "America/Chicago"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"
