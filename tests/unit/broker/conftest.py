import pytest

from tests.unit.broker.world import Broker


@pytest.fixture
def broker() -> Broker:
    return Broker()
