"""What a reply changes, in one transaction."""
