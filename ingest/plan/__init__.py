"""What to ask next, and when: pure. Settings and state are handed in, calls come out."""
