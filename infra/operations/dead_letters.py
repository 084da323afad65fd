"""Dead letters from a terminal: `python -m infra.operations.dead_letters list|show|replay|dismiss …`."""

import argparse
import json
import sys
from uuid import UUID

from sqlalchemy import func, select

from infra.operations.database import Unreachable, connected
from shared.kit.db import read_only, transaction
from shared.kit.errors import ApiError
from shared.kit.outbox import DeadLetter
from shared.operations import replay
from shared.operations.dead_letters import (
    DeadLetterResponse,
    DeadLettersQuery,
    LetterState,
    get_dead_letter,
    response_of,
    select_dead_letters,
)
from shared.operations.replay import ReplayRequest

_LISTED = 100


def main(arguments: list[str]) -> int:
    told = _parser().parse_args(arguments)
    try:
        with connected(f"dead_letters_{told.verb}"):
            told.act(told)
    except Unreachable as error:
        print(error, file=sys.stderr)
        return 1
    except ApiError as error:
        reason = (error.details or {}).get("reason")
        print(f"{error.message} ({reason or error.code})", file=sys.stderr)
        return 1
    return 0


def _list(told: argparse.Namespace) -> None:
    states = list(LetterState) if told.all else [LetterState.OPEN]
    wanted = select_dead_letters(
        DeadLettersQuery(state=states, subscription=told.subscription, event_type=told.event_type)
    )
    with read_only() as session:
        newest = wanted.order_by(DeadLetter.created_at.desc(), DeadLetter.id.desc()).limit(_LISTED)
        letters = [response_of(letter) for letter in session.scalars(newest)]
        total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    for letter in letters:
        print(_line(letter))
    print(f"{total} dead letters{'' if told.all else ' are open'}, {len(letters)} are shown.")


def _line(letter: DeadLetterResponse) -> str:
    when = letter.created_at.isoformat(timespec="seconds")
    who = letter.subscription or letter.source
    return f"{letter.id}  {when}  {letter.state:<9}  {who:<20}  {letter.event_type or '?':<28}  {letter.reason}"


def _show(told: argparse.Namespace) -> None:
    with read_only() as session:
        print(json.dumps(get_dead_letter(session, told.id).model_dump(mode="json"), indent=2))


def _replay(told: argparse.Namespace) -> None:
    if told.id is not None:
        with transaction() as session:
            letter = replay.replay(session, told.id)
        print(f"{letter.event_type} {letter.event_id} goes out again with the next run of cron_publish_outbox.")
        return
    wanted = ReplayRequest(subscription=told.subscription, event_type=told.event_type, limit=told.limit)
    with transaction() as session:
        done = replay.replay_all(session, wanted)
    print(f"{done.replayed} go out again, {len(done.unreplayable)} cannot, {done.left} are left open.")


def _dismiss(told: argparse.Namespace) -> None:
    with transaction() as session:
        letter = replay.dismiss(session, told.id, told.reason)
    print(f"{letter.id} rests: {letter.dismissed_reason}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.operations.dead_letters", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    listing = verbs.add_parser("list", help="open letters, the newest first")
    listing.add_argument("--all", action="store_true", help="settled ones as well")
    listing.set_defaults(act=_list)
    showing = verbs.add_parser("show", help="one letter with its message")
    showing.add_argument("id", type=UUID)
    showing.set_defaults(act=_show)
    replaying = verbs.add_parser("replay", help="send one letter's event again, or those of a filter")
    replaying.add_argument("id", type=UUID, nargs="?")
    replaying.add_argument("--limit", type=int, default=100)
    replaying.set_defaults(act=_replay)
    for filtered in (listing, replaying):
        filtered.add_argument("--subscription", help="the consumer that gave up, such as on_event_notify")
        filtered.add_argument("--event-type", help="such as order_decided")
    dismissing = verbs.add_parser("dismiss", help="let a letter rest")
    dismissing.add_argument("id", type=UUID)
    dismissing.add_argument("reason")
    dismissing.set_defaults(act=_dismiss)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
