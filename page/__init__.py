"""One HTML file that runs trained generators in a browser, offline."""

import cli  # noqa: F401 - first of all: it says what is not installed
