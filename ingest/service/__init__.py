"""The running program: what holds the parts together and keeps them going."""
