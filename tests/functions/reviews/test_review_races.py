"""Reviews of one subject that are written, changed, taken back and hidden at the same moment: the sums hold."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

import pytest
from sqlalchemy import func, select

from shared.identity.models import Store
from shared.kit.db import read_only
from shared.operations.invariants import check_all
from shared.reviews.models import Review
from tests.builders.stores import a_vendor
from tests.functions.reviews.reviewing import a_customer, a_farm_with_a_product, id_of, rating_of, review
from tests.rivals import beside

pytestmark = pytest.mark.usefixtures("committed_database")

CHECKS = ["store_ratings_equal_reviews", "product_ratings_equal_reviews"]


def together(*calls: Callable[[], int]) -> list[int]:
    """What calls that begin at the same moment return."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def sums_hold() -> bool:
    return all(finding.holds for finding in check_all(CHECKS))


def rows_of(subject) -> int:
    column = Review.store_id if isinstance(subject, Store) else Review.product_id
    with read_only() as session:
        return session.scalar(select(func.count()).where(column == subject.id))


@pytest.mark.parametrize("kind", [0, 1], ids=["vendor", "product"])
def test_many_buyers_at_once(api, kind):
    farm, product = a_farm_with_a_product()
    subject = (farm, product)[kind]
    customers = [a_customer(api, product) for _ in range(12)]

    statuses = together(
        *(lambda c=customer, n=n: review(beside(c), subject, n % 5 + 1).status for n, customer in enumerate(customers))
    )

    assert statuses == [201] * 12
    assert rating_of(subject) == (12, sum(n % 5 + 1 for n in range(12)))
    assert sums_hold()


def test_one_buyer_many_times_at_once(api):
    farm = a_vendor()
    customer = a_customer(api, of=farm)

    statuses = together(*(lambda n=n: review(beside(customer), farm, n % 5 + 1).status for n in range(8)))

    assert sorted(statuses) == [200] * 7 + [201]
    assert (rows_of(farm), rating_of(farm)[0]) == (1, 1)
    assert sums_hold()


def test_taken_back_and_hidden_and_changed_at_once(api, moderation):
    farm = a_vendor()
    customer = a_customer(api, of=farm)
    admin = moderation.as_admin()
    for _ in range(6):
        written = id_of(review(customer, farm, 2))

        statuses = together(
            lambda at=written: beside(customer).delete(f"/{at}").status,
            lambda at=written: beside(admin).post(f"/{at}/hide", {"reason": "Rude."}).status,
            lambda at=written: beside(customer).delete(f"/{at}").status,
            lambda: review(beside(customer), farm, 4).status,
        )

        assert sorted(statuses[0:3:2]) == [204, 404]
        assert statuses[1] in (200, 404)
        assert sums_hold()


def test_everybody_does_something_for_a_while(api, moderation):
    farm, product = a_farm_with_a_product()
    customers = [a_customer(api, product) for _ in range(4)]
    admin = moderation.as_admin()

    def live(n):
        rng, customer = Random(n), beside(customers[n])
        for _ in range(12):
            subject = rng.choice([farm, product])
            written = id_of(review(customer, subject, rng.randint(1, 5)))
            act = rng.choice(["hide", "delete", "both", "nothing"])
            if act in ("hide", "both"):
                assert beside(admin).post(f"/{written}/hide", {"reason": "Rude."}).status in (200, 422)
            if act in ("delete", "both"):
                assert customer.delete(f"/{written}").status == 204
        return 1

    assert together(*(lambda n=n: live(n) for n in range(4))) == [1] * 4
    assert sums_hold()
    assert rating_of(farm)[0] <= 4
