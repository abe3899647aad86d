"""The HTTP API: one table of routes (`routes.py`), one file of handlers per noun, one error body."""
