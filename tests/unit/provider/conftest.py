import pytest

from tests.unit.provider.world import Provider


@pytest.fixture
def provider() -> Provider:
    return Provider()
