"""The running program: pipeline, scheduler, checks."""
