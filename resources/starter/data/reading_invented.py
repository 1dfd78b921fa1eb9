"""Domains of the reading task whose attributes are words that nobody knows (“the gorvel of Flat 23”, “Who blimmed Flat 23?”) or nouns out of all context.

Why: a question about an attribute that training never had can only be answered by finding its words in the passage. In the tables and domains by hand an attribute's
words are known after a few passes, so that looking for them is not needed; here it is the only way. Six attributes a domain, several of which share a word
(left gorvel, old gorvel) or a verb (who blimmed it, where, why)."""

import random

from . import names as N
from . import reading_values as V

COUNT, SEED, ATTRIBUTES = 1500, 20261124, 6
NOUNS = sorted({phrase.split(" ")[-1] for phrase in V.PHRASES if phrase.split(" ")[-1].isalpha() and phrase.islower()})
WHICH = "left right upper lower old new first second third main spare inner outer front rear early late summer winter former present small large night day local foreign total average".split()
ENTITIES = ("thing", "code", "place", "company", "building", "machine", "project", "ship", "person", "meeting")

OF_NOUN = (
    ("The {n} of {e} is {v}.", "{v} is the {n} of {e}.", "{n} of {e}: {v}.", "{e} has {v} as its {n}.", "For {e} the {n} is {v}.", "As {n}, {e} was given {v}.", "They chose {v} as the {n} of {e}.", "With {e} the {n} has always been {v}.",
     "{e}, {n}: {v}.", "{v} serves {e} as {n}.", "The list gives {v} as the {n} of {e}.", "At {e} you will find that the {n} is {v}."),
    ("What is the {n} of {e}?", "{n} of {e}?", "Which {n} does {e} have?", "Tell me the {n} of {e}.", "what's the {n} for {e}", "What does {e} have as its {n}?", "Do you know the {n} of {e}?", "What {n} was {e} given?", "{e}: which {n}?", "the {n} at {e}"),
)
# What is asked of a verb: the maker's name, statements and questions with {w} for the verb.
OF_VERB = {
    "who": (("{e} was {w}ed by {v}.", "{v} {w}ed {e}.", "It was {v} who {w}ed {e}.", "In the end {v} came and {w}ed {e}.", "The one who {w}s {e} is {v}."),
            ("Who {w}ed {e}?", "By whom was {e} {w}ed?", "who was it that {w}ed {e}", "Who {w}s {e}?", "Name the one who {w}ed {e}.")),
    "what": (("{e} {w}s {v}.", "Every day {e} {w}s {v}.", "{v} is what {e} {w}s.", "Mostly {e} {w}s {v}.", "We saw {e} {w}ing {v}."),
             ("What does {e} {w}?", "what is it that {e} {w}s", "What did we see {e} {w}ing?", "Which thing does {e} {w}?", "What is {w}ed by {e}?")),
    "where": (("{e} was {w}ed in {v}.", "In {v} {e} was {w}ed.", "They {w}ed {e} in {v}.", "{v} is where {e} was {w}ed.", "Only in {v} could {e} be {w}ed."),
              ("Where was {e} {w}ed?", "In which place was {e} {w}ed?", "where did they {w} {e}", "{e} was {w}ed where?", "Where could {e} be {w}ed?")),
    "when": (("{e} was {w}ed on {v}.", "On {v} {e} was {w}ed.", "They {w}ed {e} on {v}.", "{v} was the day on which {e} was {w}ed."),
             ("When was {e} {w}ed?", "On which day was {e} {w}ed?", "when did they {w} {e}", "{e} was {w}ed on what date?")),
    "with what": (("{e} was {w}ed with {v}.", "They {w}ed {e} with {v}.", "With {v} {e} was {w}ed.", "{v} was used to {w} {e}.", "To {w} {e} it took {v}."),
                  ("With what was {e} {w}ed?", "What was {e} {w}ed with?", "what did they use to {w} {e}", "What did it take to {w} {e}?", "By means of what was {e} {w}ed?")),
    "how long": (("{e} was {w}ed for {v}.", "For {v} {e} was {w}ed.", "They {w}ed {e} for {v}.", "It took {v} to {w} {e}."),
                 ("For how long was {e} {w}ed?", "How long did it take to {w} {e}?", "how long was {e} {w}ed", "How long did they {w} {e}?")),
}
VERB_MAKERS = {"who": V.person, "what": V.phrase, "where": V.name, "when": V.date, "with what": V.phrase, "how long": lambda rng: f"{rng.randint(2, 90)} {rng.choice(('minutes', 'hours', 'days', 'weeks', 'months', 'years'))}"}
NOUN_MAKERS = (V.phrase, V.phrase, V.phrase, V.phrase, V.person, V.name, V.code, V.amount, V.money, V.date, V.clock, V.phone, V.number, N.word)


def noun(rng) -> str:
    return N.word(rng) if rng.random() < 0.5 else rng.choice(NOUNS)


def filled(frames, slot: str, word: str):
    texts = (frame.replace(slot, word) for frame in frames)
    return tuple(text if text[0] == "{" else text[0].upper() + text[1:] for text in texts)


def of_nouns(rng):
    """One to three attributes with a noun in common: itself, or told apart by another word before it."""
    base, n = noun(rng), rng.randint(1, 3)
    for words in [base] if n == 1 else [f"{which} {base}" for which in rng.sample(WHICH, n)]:
        yield words, rng.choice(NOUN_MAKERS), filled(OF_NOUN[0], "{n}", words), filled(OF_NOUN[1], "{n}", words)


def of_verb(rng):
    """One or two things that are asked of a made-up verb."""
    verb = N.word(rng, 3, 6)
    for role in rng.sample(sorted(OF_VERB), rng.randint(1, 2)):
        statements, questions = OF_VERB[role]
        yield f"{verb} {role}", VERB_MAKERS[role], filled(statements, "{w}", verb), filled(questions, "{w}", verb)


def invented():
    """(name, (heading, maker of entities, attributes)) of each domain, as in reading_domains; always the same ones."""
    rng = random.Random(SEED)
    for n in range(COUNT):
        rows = {}
        while len(rows) < ATTRIBUTES:
            for row in rng.choice((of_nouns, of_nouns, of_verb))(rng):
                rows.setdefault(row[0], row)
        yield f"invented {n}", (f"{N.letters(rng)} {rng.choice(NOUNS)}", V.NAMES[rng.choice(ENTITIES)], list(rows.values()))
