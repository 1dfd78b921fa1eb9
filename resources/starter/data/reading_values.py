"""What fills the frames of the reading task: names and values of as many forms as texts hold. Which words stand for a value is what does not
carry over: a model trained on fourteen products and three-digit codes copied 86 % of such values and 60 % of unseen ones, while unseen
sentences and questions cost it nothing. So a value is of the attribute's own table, of its kind at large, or now and then anything at all."""

import re

from . import names as N
from .phrasings import read

LISTS = read("reading-values.json")
PHRASES = sorted({phrase for kind in ("product", "material", "food", "habitat", "topic", "cargo", "spice", "thing", "event", "hobby", "job", "colour") for phrase in LISTS[kind]})
UNITS = (*LISTS["unit"], *"metres kilometres kilos grams watts volts degrees years months weeks days hours minutes euros dollars percent people".split())
SMALL = ("a", "an", "the", "of", "and", "in", "for", "on", "to", "with")
ANY_VALUE, WIDE_VALUE, OTHER_UNIT = 0.03, 0.45, 0.06  # lengths in days, every third one in training, hid what a question asks for
ANY_NAME, WIDE_NAME, RESEMBLING = 0.03, 0.5, 0.15


def capitals(rng, low: int, high: int) -> str:
    return "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(low, high)))


def digits(rng, low: int, high: int) -> str:
    n = rng.randint(low, high)
    return str(rng.randint(10 ** (n - 1), 10**n - 1))


def person(rng) -> str:
    first = rng.choice(LISTS["firstname"]) if rng.random() < 0.6 else N.letters(rng, 3, 7)
    last = rng.choice(LISTS["surname"]) if rng.random() < 0.4 else N.letters(rng, 4, 9)
    return rng.choices((f"{first} {last}", f"{first} {capitals(rng, 1, 1)}. {last}", f"{capitals(rng, 1, 1)}. {last}", last, f"{rng.choice(('Dr', 'Mr', 'Mrs', 'Ms'))} {last}"), (70, 6, 8, 10, 6))[0]


def name(rng) -> str:
    """A proper name of one or two words."""
    if rng.random() < 0.75:
        return N.letters(rng, 3, 9)
    return rng.choice((f"{N.letters(rng)} {N.letters(rng)}", f"New {N.letters(rng)}", f"Upper {N.letters(rng)}", f"Saint {N.letters(rng)}", f"{N.letters(rng)}-{N.letters(rng)}", rng.choice(N.PLACES), rng.choice(N.THINGS)))


CODES = (
    lambda rng: f"{capitals(rng, 1, 3)}-{digits(rng, 2, 4)}",
    lambda rng: f"{capitals(rng, 1, 3)} {digits(rng, 1, 4)}",
    lambda rng: f"{capitals(rng, 1, 2)}{digits(rng, 1, 4)}",
    lambda rng: f"{capitals(rng, 1, 3)}/{digits(rng, 1, 3)}/{digits(rng, 1, 2)}",
    lambda rng: f"{digits(rng, 1, 4)}{capitals(rng, 1, 2)}",
    lambda rng: f"no. {digits(rng, 1, 5)}",
    lambda rng: f"{digits(rng, 1, 3)}-{digits(rng, 2, 4)}",
    lambda rng: f"{N.letters(rng)} {digits(rng, 1, 4)}",
    lambda rng: f"{N.letters(rng)}-{digits(rng, 1, 3)}",
)


def code(rng) -> str:
    return rng.choice(CODES)(rng)


def number(rng) -> str:
    """A count as people write it, mostly small."""
    form = rng.randrange(10)
    if form < 6:
        return digits(rng, 1, 4)
    if form < 8:
        return f"{rng.randint(1, 999)},{rng.randint(0, 999):03}"
    return f"{rng.randint(0, 99)}.{rng.randint(0, 99)}" if form == 8 else f"{rng.randint(1, 99)} {rng.choice(('thousand', 'million', 'dozen', 'hundred'))}"


def amount(rng) -> str:
    return f"{number(rng)} {rng.choice(UNITS)}"


def money(rng) -> str:
    form, currency = rng.randrange(6), rng.choice(("euros", "dollars", "pounds", "francs", "crowns"))
    if form == 0:
        return f"${number(rng)}"
    if form == 1:
        return f"{rng.randint(1, 250)}.{rng.randint(0, 99):02} {currency}"
    if form == 2:
        return f"{rng.randint(1, 999)} million {currency}"
    return f"{number(rng)} {currency}"


def date(rng) -> str:
    day, month, year = rng.randint(1, 28), rng.choice(N.MONTHS), rng.randint(1650, 2060)
    return rng.choice((f"{day} {month}", f"{day} {month}", f"{month} {day}", f"{day} {month} {year}", f"{month} {year}", f"{month} {day}, {year}", f"{year}-{rng.randint(1, 12):02}-{day:02}", f"the {day}th of {month}"))


def clock(rng) -> str:
    hour, minute = rng.randint(0, 23), rng.randint(0, 59)
    return rng.choice((f"{hour}:{minute:02}", f"{hour}:{minute // 5 * 5:02}", f"{hour % 12 + 1}:{minute // 15 * 15:02} {rng.choice(('am', 'pm'))}", f"{hour % 12 + 1} o'clock"))


def phone(rng) -> str:
    return rng.choice((digits(rng, 4, 8), f"{digits(rng, 3, 4)} {digits(rng, 3, 4)}", f"0{digits(rng, 2, 3)} {digits(rng, 4, 6)}", f"{digits(rng, 3, 3)}-{digits(rng, 4, 4)}"))


def worded(phrases):
    """Makes values of words: one of the phrases, one with a made-up word in the place of one of its words, or a made-up word alone."""

    def make(rng) -> str:
        chosen, form = rng.choice(phrases), rng.random()
        if form < 0.55:
            return chosen
        words = chosen.split(" ")
        if form < 0.85 and len(words) > 1:
            words[rng.choice([i for i, w in enumerate(words) if w not in SMALL] or [0])] = N.word(rng)
            return " ".join(words)
        return N.word(rng)

    return make


def counted(own):
    """Makes amounts like those of `own`: another number, and now and then another unit."""

    def make(rng) -> str:
        _, _, unit = own(rng).partition(" ")
        return amount(rng) if rng.random() < OTHER_UNIT or not unit else f"{number(rng)} {unit}"

    return make


def phrase(rng) -> str:
    return rng.choice(PHRASES)


ANYTHING = (person, name, code, number, amount, amount, money, date, clock, phone, *[phrase] * 5, N.word, lambda rng: f"{N.word(rng)} {phrase(rng).split(' ')[-1]}")


def anything(rng) -> str:
    """Any short span that a text could give as a value."""
    return rng.choice(ANYTHING)(rng)


# Names by domain: what an entity can be called beside the domain's own pattern.
def building(rng):
    return f"{name(rng)} {rng.choice(LISTS['buildingkind'])}"


def company(rng):
    return rng.choice((f"{name(rng)} {rng.choice(LISTS['companykind'])}", f"{N.letters(rng)} & {N.letters(rng)}", name(rng)))


def machine(rng):
    return rng.choice((f"{N.letters(rng)} {digits(rng, 1, 4)}", f"{rng.choice(LISTS['machinekind'])} {code(rng)}", f"{N.letters(rng)} {rng.choice(LISTS['machinekind'])}", code(rng), f"{N.letters(rng)} {capitals(rng, 1, 2)}"))


def animal(rng):
    return rng.choice((N.word(rng), N.word(rng), f"the {N.word(rng)}", f"{N.word(rng)} {rng.choice(LISTS['animalkind'])}", f"the {N.word(rng)} {rng.choice(LISTS['animalkind'])}"))


def recipe(rng):
    return rng.choice((f"{N.word(rng)} {rng.choice(LISTS['dish'])}", f"{N.letters(rng)} {rng.choice(LISTS['dish'])}", f"the {N.letters(rng)} {rng.choice(LISTS['dish'])}"))


NAMES = {"person": person, "company": company, "town": name, "building": building, "machine": machine, "project": name, "animal": animal, "meeting": name, "contract": code, "ship": name, "recipe": recipe,
         "train": code, "thing": name, "code": code, "place": name}


def entity(own, kind: str):
    """Makes names of a domain: its own pattern `own`, others of its kind, now and then any name."""

    def make(rng) -> str:
        form = rng.random()
        return NAMES[rng.choice(sorted(NAMES))](rng) if form < ANY_NAME else NAMES[kind](rng) if form < ANY_NAME + WIDE_NAME else own(rng)

    return make


def patterned(patterns):
    """Makes names of patterns with {name}, {word}, {letters}, {digits}, {person} in them."""

    def make(rng) -> str:
        return SLOT.sub(lambda slot: SLOTS[slot[1]](rng), rng.choice(patterns))

    return make


SLOT = re.compile(r"\{(\w+)\}")
SLOTS = {"name": N.thing, "word": N.word, "person": N.person, "letters": lambda rng: capitals(rng, 1, 3), "digits": lambda rng: digits(rng, 1, 4)}


def resembling(rng, other: str) -> str:
    """A name like another: one word of several another one, or the same beginning. Only reading it whole tells them apart."""
    words = other.split(" ")
    if len(words) > 1:
        i = rng.choice([i for i, w in enumerate(words) if w not in SMALL])
        words[i] = digits(rng, len(words[i]), len(words[i])) if words[i].isdigit() else N.letters(rng) if words[i][0].isupper() else N.word(rng)
        return " ".join(words)
    keep = rng.randint(1, max(1, len(other) - 2))
    rest = "".join(rng.choice("0123456789" if c.isdigit() else "abcdefghijklmnopqrstuvwxyz") for c in other[keep:])
    return other[:keep] + (rest.upper() if other.isupper() else rest)


def wide(key: str, own, phrases=()):
    """Makes values of an attribute: its own table `own` (`phrases`, if that is a list), its kind at large, now and then anything. The kind
    is told by the key, or by what `own` makes."""
    by_key = {"phone": phone, "room": code, "platform": code, "to": name}
    by_maker = {N.person: person, N.place: name, N.thing: name, N.code: code, N.date: date, N.clock: clock, N.money: money, N.year: N.year, N.company: company, N.phone: phone}
    kind = by_key.get(key) or by_maker.get(own) or (worded(LISTS[key]) if key in LISTS else worded(phrases) if phrases else counted(own))

    def make(rng) -> str:
        form = rng.random()
        return anything(rng) if form < ANY_VALUE else kind(rng) if form < ANY_VALUE + WIDE_VALUE else own(rng)

    return make
