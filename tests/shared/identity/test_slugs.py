from itertools import islice

import pytest

from shared.identity.registration import slugs_for


@pytest.mark.parametrize(
    ("name", "city", "first_two"),
    [
        ("Green Mesa", "Oklahoma City", ["green-mesa", "green-mesa-oklahoma-city"]),
        ("  Rösti & Söhne, LLC. ", "Tulsa", ["rosti-sohne-llc", "rosti-sohne-llc-tulsa"]),
        ("绿山", "Tulsa", ["store", "store-tulsa"]),
        ("x" * 80, "Ada", ["x" * 60, f"{'x' * 60}-ada"]),
    ],
)
def test_a_name_then_its_city(name, city, first_two):
    assert list(islice(slugs_for(name, city), 2)) == first_two


def test_then_something_random_each_time():
    slugs = list(islice(slugs_for("Green Mesa", "Oklahoma City"), 2, 12))

    assert len(set(slugs)) == 10
    assert all(slug.startswith("green-mesa-") and len(slug) == 17 for slug in slugs)
