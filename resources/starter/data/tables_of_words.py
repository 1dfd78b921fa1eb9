"""Tables of words that stand in the code of a generator."""


def lines(table: str) -> list[list[str]]:
    """The lines of a table, each the list of what | separates."""
    return [line.split("|") for line in table.strip().splitlines()]
