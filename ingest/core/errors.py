"""The few exceptions of the program. What the cloud answers is a value (`replies.Verdict`), not an exception.

IngestError              exit 1: something failed; the message says what, where and what to do
├── ConfigError          exit 2: the configuration, the key or the identity of the state must be corrected
├── AuthNeeded           exit 3: a person must authorize an account
├── StateLocked          exit 4: another runner owns the state directory
├── StateError           exit 1: the state file is corrupt, newer, read-only, or the disk is full
├── AuthBusy             the token endpoint is unavailable: keep the present tokens and try later
├── SinkDown             the database cannot take points now: keep them and try later
└── SinkRefused          the database refuses this very batch: halve it until the refused line is alone
"""


class IngestError(Exception):
    """Something failed; the text is one sentence for the user with the remedy. Never holds a secret."""

    exit_code = 1


class ConfigError(IngestError):
    """The configuration is wrong, or fits neither the key nor the state. Names file, line, key and remedy."""

    exit_code = 2


class AuthNeeded(IngestError):
    """A person must authorize: consent is missing, withdrawn or lapsed. Names the command to run."""

    exit_code = 3


class StateLocked(IngestError):
    """Another `run` or `once` owns the state directory."""

    exit_code = 4


class StateError(IngestError):
    """The state file cannot be used as it is. Nothing was overwritten."""


class AuthBusy(IngestError):
    """The token endpoint answered 5xx, HTML or not at all. The old pair is kept; try later."""


class SinkDown(IngestError):
    """Unreachable, overloaded, unauthorized, or the target is missing. Nothing is dropped; try later."""


class SinkRefused(IngestError):
    """The database will never take this batch unchanged (400, 413, 422)."""
