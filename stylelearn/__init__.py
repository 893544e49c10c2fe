"""stylelearn: learn neural style transfer by building it, one lesson, one module, one test file at a time."""

__version__ = "0.2.0"
