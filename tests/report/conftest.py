import pytest

from tests.report.synthetic import synthetic_results


@pytest.fixture(scope="session")
def results():
    return synthetic_results()
