import pytest

from tests.unit.provider.world import Broker


@pytest.fixture
def broker() -> Broker:
    return Broker()
