"""Writes the marketplace into the local stack, once: `python -m infra.local.seed`."""

from random import Random

from sqlalchemy import exists, select

from infra.local import console
from infra.local.seed import billing
from infra.local.seed.assortment import draw_assortment
from infra.local.seed.files import Files
from infra.local.seed.licenses import draw_licenses
from infra.local.seed.opinions import make_wishes, write_reviews
from infra.local.seed.orders import Cast, place_orders
from infra.local.seed.people import ADMIN_EMAIL, AGENT_EMAILS, PASSWORD, People
from infra.local.seed.promos import write_promos
from infra.local.seed.stores import SeededStore, draw_stores, write_stores
from shared.identity.models import User
from shared.kit import clock
from shared.kit.db import read_only, transaction

SEED = 1907
"""The year in which Oklahoma became a state; any number makes the same marketplace again and again."""


def main() -> None:
    if is_seeded():
        console.done("The marketplace is there already.")
    else:
        seed()
    tell_sign_ins()


def is_seeded() -> bool:
    """Whether the marketplace was written before; its admin comes with everything else in one transaction."""
    with read_only() as session:
        return bool(session.scalar(select(exists().where(User.email == ADMIN_EMAIL))))


def seed() -> None:
    """Write everything, as of one moment, so that what is drawn by lot does not depend on how long it takes."""
    with clock.frozen_at(clock.now()):
        _seed()


def _seed() -> None:
    rng = Random(SEED)  # noqa: S311 - a marketplace is no secret
    people, files = People(rng), Files()
    admin_id, agent_ids = people.staff()
    vendors, buyers = draw_stores(rng, people)
    stores = [*vendors, *buyers]
    with console.step("Pictures and documents uploaded"):
        licenses = draw_licenses(stores, admin_id, rng, files)
        assortment = draw_assortment(vendors, rng, files)
    with console.step("Stores, people, licenses, products and promos written"), transaction() as session:
        write_stores(session, stores)
        people.write(session)
        files.write(session)
        session.add_all(licenses)
        assortment.write(session)
        write_promos(session, vendors)
    with console.step("Vendors subscribed"):
        billing.offer_plans()
        billing.subscribe_all(_subscribers(vendors))
    with console.step("Orders placed and led through their lives"):
        cast = Cast(buyers, {vendor.id: vendor for vendor in vendors}, agent_ids, admin_id)
        count = place_orders(cast, rng)
    with console.step("Wishes made and reviews written"):
        wishes, reviews = make_wishes(buyers, rng), write_reviews(buyers, rng)
    console.note(f"{len(vendors)} vendors, {len(buyers)} buyers, {len(assortment.products)} products, {count} orders")
    console.note(f"{wishes} wishes, {reviews} reviews")


def tell_sign_ins() -> None:
    """Print whom to be."""
    console.heading(f"Sign in with the password {PASSWORD}")
    for email, who in {
        ADMIN_EMAIL: "admin of the platform",
        AGENT_EMAILS[0]: "agent; agent2 and agent3 as well",
        "red-fork-farms@example.com": "owner of a vendor; also manager., ops., staff., viewer. before it",
        "green-mesa-dispensary@example.com": "owner of a dispensary; likewise",
    }.items():
        console.note(f"{email:<36}{who}")


def _subscribers(vendors: list[SeededStore]) -> list[SeededStore]:
    """All but those who came last."""
    return vendors[:-2]


if __name__ == "__main__":
    main()
