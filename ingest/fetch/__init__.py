"""One call over the network, and what came of it."""
