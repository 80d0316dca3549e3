"""What can go wrong with the ledger."""

from lamplighter_controller.errors import ControllerError


class LedgerUnavailable(ControllerError):
    """The ledger did not answer or did not take the data; the same call may go through later.

    A write that ended so may still have been committed in the one case that the commit itself was not answered.
    """


class LedgerRejected(ControllerError):
    """The data themselves can never be stored: a number too large, a character no database knows. All is undone."""


class LedgerUnusable(ControllerError):
    """The ledger cannot be opened as it is; the message says what a person has to do."""
