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


SLIPS = (76, 15, 6, 3)  # how often a message has none, one, two, three words with a slip of the hand
# The same for messages with a fixed answer: short ones, where one word tells which answer it is, or none when it is misspelt. Both for the guide and for what is out of scope,
# so that a slip of the hand does not speak for either.
CARELESS = (30, 40, 20, 10)
LOWER_SHARE = 0.2  # of messages, names and all
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE = {c: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in KEYS for i, c in enumerate(row)}
VOWELS = "aeiou"


def typo(rng, text: str) -> str:
    """One small slip of the hand in a word of three letters or more, rather in a long one; never in a number or a capitalised name."""
    words = text.split(" ")
    places = [i for i, w in enumerate(words) if len(w.rstrip("?!.,")) >= 3 and w.rstrip("?!.,").isalpha() and w.isascii() and w.islower()]
    if not places:
        return text
    i = rng.choices(places, [len(words[i]) - 2 for i in places])[0]
    words[i] = slip(rng, words[i])
    return " ".join(words)


def slip(rng, word: str) -> str:
    """A letter left out, doubled, swapped with the next, hit beside its key, or a vowel heard as another."""
    letters = len(word.rstrip("?!.,"))
    j = rng.randrange(letters)
    kind = rng.choices(("out", "double", "swap", "beside", "vowel"), (25, 12, 30, 18, 15))[0]
    if kind == "out" and letters > 3:
        return word[:j] + word[j + 1 :]
    if kind == "double":
        return word[:j] + word[j] + word[j:]
    if kind == "beside":
        return word[:j] + rng.choice(BESIDE[word[j]]) + word[j + 1 :]
    if kind == "vowel" and word[j] in VOWELS:
        return word[:j] + rng.choice(VOWELS) + word[j + 1 :]
    j = min(j, letters - 2)
    return word[:j] + word[j + 1] + word[j] + word[j + 2 :]


def casual(rng, text: str, slips=SLIPS) -> str:
    """People type without capitals (also those of names), without question marks, with a greeting or a thank-you around the question, with slips of the hand."""
    if rng.random() < 0.30:
        text = text[0].lower() + text[1:] if len(text) > 1 and not text[1].isupper() else text
    if rng.random() < 0.25 and text.endswith("?"):
        text = text[:-1]
    if rng.random() < 0.06:
        text = rng.choice(("Hi, ", "Hello, ", "Hey, ", "Please: ", "Quick question: ", "Can you help? ", "ok, ", "So ")) + text
    if rng.random() < 0.04:
        text = text + rng.choice((" Thanks!", " Thank you.", " please", " thx", " Short answer please."))
    if rng.random() < 0.15:
        text = text.replace("'", "")
    for _ in range(rng.choices(range(len(slips)), slips)[0]):
        text = typo(rng, text)
    return text.lower() if rng.random() < LOWER_SHARE else text
