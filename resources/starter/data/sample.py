"""What every task yields: a short conversation, which of its text is learned, and how much of it weighs."""

from dataclasses import dataclass, field


@dataclass
class Turn:
    """One question and its answer. `heavy` marks the parts of the answer that must be exact (the number, the citation)."""

    user: str
    answer: str
    heavy: tuple[str, ...] = ()


@dataclass
class Sample:
    task: str
    turns: list[Turn]
    system: str = ""
    instead: list[Turn] = field(default_factory=list)  # further last turns over the same passages: training reads what they share once
    facts: dict = field(default_factory=dict)  # what an evaluation needs: kind, expected, held-out frame

    @property
    def endings(self) -> list[Turn]:
        """The last turn, and those in its place."""
        return [self.turns[-1], *self.instead]


TYPO_RATE = 0.04


def typo(rng, text: str) -> str:
    """One small slip of the hand somewhere in a word of four letters or more; never in a number or a capitalised name."""
    words = text.split(" ")
    places = [i for i, w in enumerate(words) if len(w) >= 4 and w.isalpha() and w.islower()]
    if not places:
        return text
    i = rng.choice(places)
    word, j = words[i], rng.randrange(1, len(words[i]) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        word = word[:j] + word[j + 1 :]
    elif kind == 1:
        word = word[:j] + word[j] + word[j:]
    else:
        word = word[:j] + word[j + 1] + word[j] + word[j + 2 :]
    words[i] = word
    return " ".join(words)


def casual(rng, text: str) -> str:
    """People type without capitals, without question marks, with a greeting or a thank-you around the question."""
    if rng.random() < 0.30:
        text = text[0].lower() + text[1:] if len(text) > 1 and not text[1].isupper() else text
    if rng.random() < 0.25 and text.endswith("?"):
        text = text[:-1]
    if rng.random() < 0.06:
        text = rng.choice(("Hi, ", "Hello, ", "Hey, ", "Please: ", "Quick question: ", "Can you help? ", "ok, ", "So ")) + text
    if rng.random() < 0.04:
        text = text + rng.choice((" Thanks!", " Thank you.", " please", " thx", " Short answer please."))
    if rng.random() < TYPO_RATE * 3:
        text = typo(rng, text)
    return text
