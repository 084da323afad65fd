from tests.maps import fresh_maps, maps_server  # noqa: F401 - fixtures
