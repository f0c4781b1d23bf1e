"""What the documentation site adds to Sphinx: generated pages, links to notebooks, formulas.

A page says where generated text goes by a comment on a line of its own, such as
`<!-- generated: flags -->`. So the page itself is an ordinary file of the docs.
"""

import inspect
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

    The site has copies of the notebooks in the folder `notebooks` of the docs. So `../notebooks/`
    in a page, and `../docs/` in a notebook, are one folder nearer.

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


def signature(kind: str, found: Any) -> str | None:
    """Returns the arguments of a class, or None where autodoc sees them by itself.

    A Keras layer hides its arguments behind a `__new__` that takes any.

    Args:
        kind: what autodoc describes, such as `class`.
        found: the object.
    """
    if kind != "class" or "keras" not in {each.__module__.split(".")[0] for each in found.__mro__}:
        return None
    _, *parameters = inspect.signature(found.__init__).parameters.values()  # without self
    return str(inspect.Signature([each.replace(annotation=each.empty) for each in parameters]))


def setup(app: Any) -> dict[str, Any]:
    """Registers the extension with Sphinx."""
    from docutils import nodes

    from docsite import mathml

    def read(app: Any, page: str, source: list[str]) -> None:
        source[0] = complete(source[0], page)

    def sign(app: Any, kind: str, name: str, found: Any, options: Any, *shown: Any) -> Any:
        arguments = signature(kind, found)
        return None if arguments is None else (arguments, None)

    def set_dashes(app: Any, tree: Any) -> None:
        for text in list(tree.findall(nodes.Text)):
            if text.astext() == " -- ":  # Sphinx writes it between a parameter and its description
                text.parent.replace(text, nodes.Text(" – "))

    app.connect("autodoc-process-signature", sign)
    app.connect("doctree-read", set_dashes)
    app.connect("config-inited", copy_notebooks)
    app.connect("source-read", read)
    mathml.register(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
