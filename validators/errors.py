"""What keeps a check from booting anything, and is no fault of the backend."""


class CheckUnavailableError(Exception):
    """The check's own surroundings failed: no database, no interpreter, no temporary folder.

    Attributes:
        message: What failed, in one sentence.
        hint: What to do next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
