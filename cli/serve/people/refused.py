"""What is raised where a request is not answered."""


class Refused(Exception):
    """A request that is not answered, with the status of HTTP, a sentence, and perhaps when to come again."""

    def __init__(self, status: int, sentence: str, *, after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.after = status, sentence, after  # seconds
