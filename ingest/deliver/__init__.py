"""To the databases: changes of the archive in their order, at least once."""
