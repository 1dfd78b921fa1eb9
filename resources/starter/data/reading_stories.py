"""Texts as people's documents hold them, with slots for what can be asked: prose that refers back (she, the firm, two years later), where
the statements of reading_domains name their entity each time. Files phrasings/stories-*.txt:

    = title      T text      Q question | answer      N question that the text does not answer

A slot is a kind and a number, {person1}; an answer is a slot, with the unit behind it where the text has one."""

import re
from dataclasses import dataclass, field

from . import names as N
from . import reading_values as V
from .phrasings import FOLDER

SLOT = re.compile(r"\{(\w+?)\d+\}")
MAKERS = {"person": V.person, "place": V.name, "name": V.name, "date": V.date, "year": N.year, "clock": V.clock, "number": V.number, "money": V.money, "code": V.code, "amount": V.amount,
          **{kind: V.worded(V.LISTS[kind]) for kind in ("job", "product", "material", "colour", "food", "topic", "thing", "event")}}


@dataclass
class Story:
    title: str
    text: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)  # question, answer
    unanswered: list[str] = field(default_factory=list)


def read(text: str) -> list[Story]:
    stories = []
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "=":
            stories.append(Story(rest))
        elif kind == "T":
            stories[-1].text = rest
        elif kind == "Q":
            question, answer = rest.rsplit(" | ", 1)
            stories[-1].asked.append((question, answer))
        elif kind == "N":
            stories[-1].unanswered.append(rest)
    return stories


STORIES = [story for path in sorted(FOLDER.glob("stories-*.txt")) for story in read(path.read_text(encoding="utf8"))]


def told(rng, story: Story) -> Story:
    """The story with all slots filled; each value differs from the others and stands nowhere else in the text."""
    slots = dict.fromkeys(match[0] for match in SLOT.finditer(story.text + story.title))
    values = {}
    for slot in slots:
        make = MAKERS[SLOT.match(slot)[1]]
        while (value := make(rng)) in values.values() or value in story.text:
            pass
        values[slot] = value
    fill = lambda text: SLOT.sub(lambda match: values[match[0]], text)
    text = re.sub(r"(^|[.!?\"] )([a-z])", lambda match: match[1] + match[2].upper(), fill(story.text))
    title = fill(story.title)
    return Story(title, text, [(fill(q), as_written(f"{title}\n{text}", fill(a))) for q, a in story.asked], [fill(q) for q in story.unanswered])


def as_written(text: str, answer: str) -> str:
    return answer if answer in text else answer[0].upper() + answer[1:]


def renamed(rng, story: Story) -> str | None:
    """A question of a story with other names: its subject is in the text, the one whom it asks about is not. None: no question names anyone."""
    named = [q for q, _ in story.asked if re.search(r"\{(person|name|place|code)\d+\}", q)]
    return SLOT.sub(lambda match: MAKERS[match[1]](rng), rng.choice(named)) if named else None
