"""Your own copy of your Enphase solar data, kept in sync with the cloud, within your API quota."""

__version__ = "0.1.0"
