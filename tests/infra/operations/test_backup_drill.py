"""A backup that brings everything back is told good; one that does not is told bad, with what is missing."""

import re

import pytest
from sqlalchemy import text

from infra.local.databases import DatabaseServer
from infra.operations.backup_drill import DrillFailed, figures_of, restored, run_program
from shared.kit.db import transaction
from shared.orders.models import OrderStatus
from tests.builders.media import a_license
from tests.builders.orders import an_order
from tests.events import Events
from tests.world import told


@pytest.fixture
def order():
    a_license()
    order = an_order(OrderStatus.CLOSED)
    told(order)
    return order


def names(server: DatabaseServer) -> list[str]:
    return [name for name in server.databases() if name.startswith("drill_")]


def test_a_good_backup_is_told_good_and_leaves_nothing_behind(command, committed_database, order):
    done = command("backup_drill")

    dumped, took, compared, verdict = done.stdout.splitlines()
    rows = figures_of(committed_database).rows
    assert (done.status, done.stderr) == (0, "")
    assert re.fullmatch(r"Dumped \d\.\d MB in \d+\.\d s\.", dumped)
    assert re.fullmatch(r"Restored in \d+\.\d s\.", took)
    assert re.fullmatch(rf"Compared \d+ tables and {rows} rows, and the ledger's identity holds\.", compared)
    assert re.fullmatch(r"The backup is good, after \d+\.\d s\.", verdict)
    assert names(DatabaseServer(committed_database)) == []


def test_a_ledger_that_does_not_add_up_fails_the_drill(command, order):
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM ledger_events WHERE type = 'vendor_payout'"))

    done = command("backup_drill")

    assert done.status == 1
    assert done.stdout.splitlines()[2].endswith("but ledger_identity did not come back as it was.")
    assert done.stdout.splitlines()[3].startswith("The backup FAILED, after ")


DAMAGE = {
    "CREATE TABLE surplus (id int)": "public.surplus",
    "DELETE FROM outbox_sequences": "public.outbox_sequences",
    "DROP TABLE one_time_tokens": "public.one_time_tokens",
    "SELECT nextval('order_number_seq')": "order_number_seq",
    "UPDATE outbox_events SET sequence = 9 - sequence": "public.outbox_events",
    "UPDATE vendor_orders SET buyer_notes = 'x'": "public.vendor_orders",
}


def test_every_table_row_and_sequence_counts(committed_database, order):
    with restored(committed_database) as copy:
        found = [copy.source.differing(figures_of(copy.url))]
        with DatabaseServer(copy.url).cursor(copy.url.rpartition("/")[2]) as cursor:
            for statement in DAMAGE:
                cursor.execute(statement)
                found.append(copy.source.differing(figures_of(copy.url)))

    assert [sorted(names) for names in found] == [sorted(list(DAMAGE.values())[:n]) for n in range(len(DAMAGE) + 1)]


def test_what_is_written_while_the_dump_runs_is_in_neither(committed_database, order):
    with restored(committed_database) as copy:
        told(order)

        assert copy.source.tables["public.outbox_events"][0] == 3
        assert copy.source.differing(figures_of(copy.url)) == []
    assert len(Events().rows()) == 6


def test_a_program_that_fails_says_why_in_one_line(tmp_path):
    with pytest.raises(DrillFailed, match=r"^pg_dump: .*"):
        run_program("pg_dump", "postgresql+pg8000://nobody@127.0.0.1:1/nothing", f"--file={tmp_path / 'dump'}")
