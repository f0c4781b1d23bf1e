"""Formulas as MathML, which browsers draw by themselves: a page needs no script from elsewhere."""

import html
import re
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
OF_HTML = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)\w+;")  # entities that XML does not know
ACCENTS = set("~^¯→˙")


def register(app: Any) -> None:
    """Registers the renderer `mathml` with Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))


def converted(formula: str, as_block: bool) -> str:
    """Returns a formula in TeX as MathML.

    docutils puts the subscript of a letter with an accent, such as h̃_t, below the letter. Here it
    stands beside it, as TeX has it.
    """
    ElementTree.register_namespace("", NAMESPACE)
    text = OF_HTML.sub(
        lambda match: html.unescape(match[0]), tex2mathml(formula, as_block=as_block)
    )
    root = ElementTree.fromstring(text)
    for node in root.iter(f"{{{NAMESPACE}}}munderover"):
        letter, below, above = node
        if (above.text or "").strip() in ACCENTS:
            accented = ElementTree.Element(f"{{{NAMESPACE}}}mover", {"accent": "true"})
            accented.extend([letter, above])
            node.tag = f"{{{NAMESPACE}}}msub"
            node[:] = [accented, below]
    return ElementTree.tostring(root, encoding="unicode")


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(converted(node.astext(), as_block=False))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append('<div class="math-block">')
    writer.body.append(converted(node.astext(), as_block=True))
    writer.body.append("</div>\n")
    raise nodes.SkipNode
