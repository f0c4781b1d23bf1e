"""What the documentation site adds to Sphinx: generated pages, links to notebooks, formulas.

A page says where generated text goes by a comment on a line of its own, such as
`<!-- generated: flags -->`. So the page itself is an ordinary file of the docs.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from docsite import command_flags, rest_api

GENERATED = {"flags": command_flags.page, "openapi": rest_api.page}
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PLACE = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)


def complete(text: str, page: str) -> str:
    """Returns the source of a page with its generated text, and with links as the site has them.

    The site has the notebooks in the folder `notebooks` of the docs, by copies. So `../notebooks/` in a page, and `../docs/` in a notebook, are one folder nearer.

    Args:
        text: the source.
        page: name of the page, such as `howto/serve`.

    Raises:
        KeyError: the page asks for text that nothing generates.
    """
    text = PLACE.sub(lambda match: GENERATED[match[1]](), text)
    if page.startswith("notebooks/"):
        return text.replace("](../docs/", "](../")
    return text.replace("](../notebooks/", "](notebooks/")


def copy_notebooks(app: Any, config: Any) -> None:
    """Copies the notebooks into the docs, because Sphinx reads one folder only."""
    del config
    folder = Path(app.srcdir) / "notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns(".*"))


def setup(app: Any) -> dict[str, Any]:
    """Registers the extension with Sphinx."""

    from docsite import mathml

    def read(app: Any, page: str, source: list[str]) -> None:
        source[0] = complete(source[0], page)

    app.connect("config-inited", copy_notebooks)
    app.connect("source-read", read)
    mathml.register(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
