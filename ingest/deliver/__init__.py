"""Delivery to the databases: changes of the archive in order, at least once."""
