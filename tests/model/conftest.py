"""Home Assistant's frontend brings a library that Python warns of when it is imported; that is not ours to mend."""

import warnings
from importlib import import_module

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import_module("homeassistant.components.frontend")
