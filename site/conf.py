"""Sphinx's settings for the site. Notebooks are shown as they were built; `make site` runs no code of theirs."""

import json
from pathlib import Path

project = "stylelearn"
author = "The stylelearn authors"
copyright = "The stylelearn authors; text and pictures CC BY 4.0, code MIT"
extensions = ["myst_nb"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_theme = "sphinx_book_theme"
html_title = "stylelearn"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_use_index = False
html_theme_options = {
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
}
mathjax_path = "mathjax/tex-chtml-full.js"  # make site puts it there


def describe(app, doctree):
    """Give each picture of a lesson its text, which myst-nb leaves out."""
    for node in doctree.findall(lambda node: node.tagname == "image"):
        node["loading"] = "lazy"
        if text := app.descriptions.get(Path(node["uri"]).stem):
            node["alt"] = text


def setup(app):
    app.descriptions = json.loads((Path(app.srcdir) / "descriptions.json").read_text(encoding="utf-8"))
    app.connect("doctree-read", describe)
