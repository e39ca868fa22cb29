"""The vendor's API: how it is asked, how its replies are read, and what it asks of us. Pure."""
