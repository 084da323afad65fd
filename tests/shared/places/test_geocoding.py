"""Where an address is: as it was given, as it is kept, or as the map has it."""

import pytest

from shared.identity.addresses import Address, WrittenAddress
from shared.kit import redis
from shared.places.geocoding import AddressNotFound, locate

WRITTEN = {"line1": "100 N Broadway Ave", "city": "Oklahoma City", "state": "OK", "postal_code": "73102"}


def test_a_given_position_is_taken_and_nobody_asked(maps):
    located = locate(WrittenAddress(**WRITTEN, lat=35.5, lng=-97.5), field="address")

    assert located == Address(**WRITTEN, lat=35.5, lng=-97.5)
    assert maps.calls == {}


def test_a_position_is_looked_up_once_a_day_however_it_is_spelled(maps):
    first = locate(WrittenAddress(**WRITTEN, line2="Suite 4"), field="address")
    again = locate(WrittenAddress(**{**WRITTEN, "city": "oklahoma  city"}), field="address")

    assert first == Address(**WRITTEN, line2="Suite 4", lat=35.465015, lng=-97.500195)
    assert (again.city, again.lat, again.lng) == ("oklahoma  city", first.lat, first.lng)
    assert maps.calls == {"geocode": 1}
    (key,) = redis.client().keys("pf:places:*")
    assert redis.client().ttl(key) == 86_400


def test_what_is_not_found_is_asked_for_again(maps):
    for _ in range(2):
        with pytest.raises(AddressNotFound) as refused:
            locate(WrittenAddress(**{**WRITTEN, "line1": "1 Xyzzy"}), field="address")

    assert refused.value.details["reason"] == "address_not_found"
    assert [field["path"] for field in refused.value.details["fields"]] == ["address"]
    assert maps.calls == {"geocode": 2}
    assert redis.client().keys("pf:places:*") == []


def test_whole_positions_only():
    assert WrittenAddress(**WRITTEN).position is None
    for half in ({"lat": 35.5}, {"lng": -97.5}, {"lat": None, "lng": 1}, {"lat": 1, "lng": None}):
        with pytest.raises(ValueError, match="give both lat and lng, or neither"):
            WrittenAddress(**WRITTEN, **half)
