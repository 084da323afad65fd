"""A secret of several keys, taken a step further: reads it from standard input, writes it to standard output.

    python -m infra.operations.keys add       a new key at the end: accepted from now on, not used yet
    python -m infra.operations.keys promote   the last key first: it signs from now on, the others are still accepted
    python -m infra.operations.keys retire    only the first key stays

Between two steps every instance has to know the last one. Keys are `kid:secret`, or bare secrets where the setting
has no ids (PF_CURSOR_KEY).
"""

import secrets
import sys
from collections.abc import Callable, Sequence

from shared.kit import clock

_STEPS: dict[str, Callable[[list[str]], list[str]]] = {
    "add": lambda keys: [*keys, _new_key(with_id=":" in keys[0], taken=keys)],
    "promote": lambda keys: [keys[-1], *keys[:-1]],
    "retire": lambda keys: keys[:1],
}


def step(setting: str, name: str) -> str:
    """The setting after this step."""
    return ",".join(_STEPS[name]([key.strip() for key in setting.split(",") if key.strip()]))


def _new_key(*, with_id: bool, taken: Sequence[str]) -> str:
    secret = secrets.token_urlsafe(36)
    if not with_id:
        return secret
    today, ids = f"{clock.now():%Y-%m-%d}", {key.partition(":")[0] for key in taken}
    kid = next(kid for kid in (today, *(f"{today}-{n}" for n in range(2, 100))) if kid not in ids)
    return f"{kid}:{secret}"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in _STEPS:
        print(f"Say which step: {', '.join(_STEPS)}.", file=sys.stderr)
        return 2
    held = sys.stdin.read().strip()
    if not held:
        print("There is no secret to take a step further.", file=sys.stderr)
        return 1
    sys.stdout.write(step(held, arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
