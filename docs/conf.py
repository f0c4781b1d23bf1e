"""Configuration of the documentation site, for Sphinx. `make docs` builds the site."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

import seqclf  # noqa: E402

project = "seqclf"
author = project_copyright = "The seqclf authors"
release = version = seqclf.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docsite"]
exclude_patterns = ["docsite"]
highlight_language = "text"
smartquotes = False  # they would make one dash of the two of a flag
default_role = "code"  # docstrings write code in single backticks
nitpicky = True
# Python names of other packages cannot be looked up without a network.
nitpick_ignore_regex = [(r"py:.*", r"(?!seqclf\.).*")]
# Classes in the signatures of public functions that are themselves no part of the public API.
nitpick_ignore_regex += [(r"py:class", r"seqclf\.data\.(split|table_layout|text)\..*")]
nitpick_ignore_regex += [(r"py:class", r"seqclf\.config\.settings\..*")]
nitpick_ignore_regex += [
    (r"py:class", r"seqclf\.(client|serving\.client)\.(address|options)\..*"),
    (r"py:class", r"seqclf\.serving\.model_facts\..*"),
]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # the pages show the outputs that are stored in the notebooks
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False  # Keras's docstrings are not ours
autodoc_preserve_defaults = True
napoleon_custom_sections = [("Call arguments", "params_style")]
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"seqclf {release}"
html_static_path = ["docsite/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"  # browsers draw it; no script has to be fetched
