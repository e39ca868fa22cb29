"""Obtaining, keeping and renewing the authorization of each account."""
