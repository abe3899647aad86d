"""Energy Dashboard's server: stores readings, proves that none is missing, serves the dashboard."""

__version__ = "0.1.0"
