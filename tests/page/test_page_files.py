"""What the drawing page is made of; this needs no browser."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "page"


def test_nothing_is_fetched_from_elsewhere():
    files = list(PAGE.iterdir())
    assert len(files) > 4
    for file in files:
        for address in re.findall(r"https?://[^\s\"']*|[\"'(]//[^\s\"']*", file.read_text()):
            assert address.startswith("http://127.0.0.1:8501"), file
