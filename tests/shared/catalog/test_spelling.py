"""Words that products taught the catalogue, and what misspelled ones are taken for."""

import pytest
from sqlalchemy import select

from shared.catalog.models import Product, ProductWord
from shared.catalog.spelling import respelled
from shared.kit.db import read_only, transaction
from tests.builders.products import a_product
from tests.builders.stores import a_vendor


def words():
    with read_only() as session:
        return set(session.scalars(select(ProductWord.word)))


def meant(q):
    with read_only() as session:
        return session.scalar(select(respelled(q)))


def test_words_are_learned_from_names_and_kept():
    product = a_product(a_vendor(company_name="Osage Labs"), title="Piña Express, 3.5g", strain=None, subtitle="of OK")
    with transaction() as session:
        session.get_one(Product, product.id).title = "Midnight"

    assert words() == {"osage", "labs", "piña", "express", "midnight"}


@pytest.mark.parametrize(
    ("typed", "taken_for"),
    [
        ("gelato", "gelato"),
        ("Gelatto  PIE", "gelato pie"),
        ("pei", "pei"),
        ("gummy", "gummy"),
        ("gumies", "gummies"),
        ("the gelto", "the gelato"),
        ("gelato-33", "gelato-33"),
        ("xyz", "xyz"),
        ("", ""),
        ("'; DROP TABLE products --", "'; drop table products --"),
    ],
)
def test_only_unknown_words_that_are_near_a_known_one_are_changed(typed, taken_for):
    a_product(a_vendor(company_name="Osage"), title="Gelato Pie Gummies", strain=None)

    assert meant(typed) == taken_for
