"""Pure decisions: no clock, no IO, standard library only."""
