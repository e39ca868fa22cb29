"""The documentation as a site: `make docs`."""

import ingest

project = "enphase-ingest"
project_copyright = "the authors of enphase-ingest, MIT license"
version = release = ingest.__version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "enphase-ingest"
html_copy_source = False
html_show_sourcelink = False
myst_heading_anchors = 3
exclude_patterns = ["images"]
suppress_warnings = ["misc.highlighting_failure"]
