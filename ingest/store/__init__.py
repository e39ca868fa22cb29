"""`state.db`: one SQLite file that holds coverage, archive, outbox and ledger. SQL lives in this package only.

Write-ahead logging, one writer. Points and the coverage that belongs to them are one transaction, so a crash leaves
all of a reply or none of it. Other processes read beside the writer, and write only requests of history and replays.
"""
