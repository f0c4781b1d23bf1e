"""One browser for all tests of the page."""

import pytest


@pytest.fixture(scope="session")
def browser():
    from browsing import new_browser  # skips where Selenium is missing

    with new_browser() as driver:
        yield driver
