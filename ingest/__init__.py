"""Your own copy of your Enphase solar data, kept true to the cloud within its quota."""

__version__ = "0.1.0"
