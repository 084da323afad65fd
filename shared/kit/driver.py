"""pg8000's connection with fewer round trips: one per statement instead of three, and none for BEGIN.

pg8000 sends Parse, Describe and Execute one after the other and waits for each. The protocol allows
them in one go (PostgreSQL's documentation, "Pipelining"), and BEGIN can travel with the first
statement of a transaction. Answers are read by pg8000's own code, in the order in which they come.
A statement that is `planned_once` (see `shared.kit.db`) is parsed the first time only.
"""

import contextlib
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pg8000 import dbapi
from pg8000.converters import make_params
from pg8000.core import NULL_BYTE, SYNC_MSG, Context, _flush, _write

from shared.kit.db import STALE_PLANS

_BEGIN = "begin transaction"


@lru_cache(maxsize=1_024)
def _numbered(statement: str) -> str:
    """A statement with its `%s` written as `$1`, `$2` and so on.

    pg8000 walks through every character of a statement to do this, each time that it is executed.
    """
    return str(dbapi.convert_paramstyle("format", statement, ())[0])


class Cursor(dbapi.Cursor):  # type: ignore[misc]  # pg8000 ships no types
    """A pg8000 cursor that rewrites a statement once, not at each execution.

    With `keeps_plan`, which is set before it executes, it has the server keep the statement.
    """

    _input_oids: Any
    keeps_plan = False

    def execute(self, operation: str, args: Any = (), stream: Any = None) -> None:
        """Send a statement; what has no parameters, streams or comes too late is pg8000's own affair."""
        connection = self._c
        if len(args) == 0 or stream is not None or connection is None or connection._sock is None:
            super().execute(operation, args, stream)
            return
        if not connection._in_transaction and not connection.autocommit:
            connection.execute_simple(_BEGIN)
        if self.keeps_plan and not self._input_oids:
            self._context = connection.execute_kept(_numbered(operation), args)
        else:
            self._context = connection.execute_unnamed(_numbered(operation), vals=args, oids=self._input_oids)
        self._row_iter = None if self._context.rows is None else iter(self._context.rows)
        self._input_oids = ()


@dataclass(frozen=True, slots=True)
class _Kept:
    """A statement that the server knows by name, and how its rows are read."""

    name: bytes
    columns: Any
    input_funcs: Any


class Connection(dbapi.Connection):  # type: ignore[misc]  # pg8000 ships no types
    """A pg8000 connection that sends each statement whole."""

    _begin_waits = False
    _kept: dict[str, _Kept]
    _named: int

    def cursor(self) -> Cursor:
        return Cursor(self)

    def execute_simple(self, statement: str) -> Context:
        """Send a statement without parameters; a BEGIN waits for the statement that follows it."""
        if statement == _BEGIN:
            self._begin_waits = True
            return Context(statement)
        begun = self._send_waiting_begin()
        context = Context(statement)
        self.send_QUERY(statement)
        return self._answer(begun, context)

    def execute_unnamed(self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None) -> Context:
        """Send a statement with its parameters."""
        parameters = make_params(self.py_types, vals)
        begun = self._send_waiting_begin()
        self._send_statement(NULL_BYTE, statement, oids)
        self._send_parameters(NULL_BYTE, parameters)
        return self._answer(begun, Context(statement, stream=stream))

    def execute_kept(self, statement: str, vals: Any) -> Context:
        """Send parameters for a statement that the server has by name; with them the statement, the first time."""
        parameters = make_params(self.py_types, vals)
        begun = self._send_waiting_begin()
        kept = self._kept.get(statement)
        if kept is None:
            self._named += 1
            name = f"kept_{self._named}".encode() + NULL_BYTE
            self._send_statement(name, statement, ())
            self._send_parameters(name, parameters)
            context = self._answer(begun, Context(statement))
            self._kept[statement] = _Kept(name, context.columns, context.input_funcs)
            return context
        self._send_parameters(kept.name, parameters)
        try:
            return self._answer(begun, Context(statement, columns=kept.columns, input_funcs=kept.input_funcs))
        except dbapi.DatabaseError as error:
            told = error.args[0] if error.args else None
            if isinstance(told, dict) and told.get("C") in STALE_PLANS:
                del self._kept[statement]
            raise

    def _send_statement(self, name: bytes, statement: str, oids: Any) -> None:
        self.send_PARSE(name, statement, oids)
        self.send_DESCRIBE_STATEMENT(name)

    def _send_parameters(self, name: bytes, parameters: Any) -> None:
        self.send_BIND(name, parameters)
        self.send_EXECUTE()
        _write(self._sock, SYNC_MSG)

    @property
    def _in_transaction(self) -> bool:
        return self._begin_waits or bool(super()._in_transaction)

    def commit(self) -> None:
        """Commit; a transaction in which nothing was sent was never begun."""
        self._begin_waits = False
        if self._in_transaction:
            super().commit()

    def rollback(self) -> None:
        """Roll back; a transaction in which nothing was sent was never begun."""
        self._begin_waits = False
        super().rollback()

    def close(self) -> None:
        """Close, and let go of the socket at once even when the server hung up before. Raises InterfaceError."""
        buffered = self._sock
        try:
            super().close()
        finally:
            # pg8000 leaves its buffer open; a farewell that cannot be sent any more would keep the socket.
            if buffered is not None:
                with contextlib.suppress(OSError):
                    buffered.close()

    def _send_waiting_begin(self) -> Context | None:
        if not self._begin_waits:
            return None
        if self._sock is None:
            raise dbapi.InterfaceError("connection is closed")
        self._begin_waits = False
        self.send_QUERY(_BEGIN)
        return Context(_BEGIN)

    def _answer(self, begun: Context | None, context: Context) -> Context:
        """Send what was written and read the answers: BEGIN's, when it travelled along, then the statement's."""
        if self._sock is None:
            raise dbapi.InterfaceError("connection is closed")
        _flush(self._sock)
        if begun is not None:
            self.handle_messages(begun)
        self.handle_messages(context)
        return context


def adopt(connection: Any) -> None:
    """Make a fresh pg8000 connection, whoever opened it, one of ours, and let it send at once.

    Without TCP_NODELAY the end of a statement over 8 KB waits 40 ms: Nagle's algorithm holds it back until
    the server's delayed acknowledgement of what went before.
    """
    connection.__class__ = Connection
    connection._kept, connection._named = {}, 0
    connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
