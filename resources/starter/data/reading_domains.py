"""All domains of the reading task: the first tables with the phrasings of other hands, and the open domains."""

from . import names as N
from .phrasings import read
from .reading_tables import DOMAINS as FIRST, NOISE as FIRST_NOISE, TITLES as FIRST_TITLES

KINDS = {"person": N.person, "place": N.place, "thing": N.thing, "code": N.code, "date": N.date, "year": N.year, "clock": N.clock, "money": N.money}


def maker(value):
    """What makes a value: a kind by name, an amount with its unit, or a list to pick from."""
    if isinstance(value, str):
        return KINDS[value]
    if isinstance(value, list):
        return N.pick(value)
    return N.amount(value["unit"], value["low"], value["high"])


def widened():
    more = [read("reading-1.json"), read("reading-2.json")]
    for name, (heading, entity, attributes) in FIRST.items():
        rows = []
        for key, make, statements, questions in attributes:
            extra = [m[name][key] for m in more]
            rows.append((key, make, (*statements, *(s for e in extra for s in e["statements"])), (*questions, *(q for e in extra for q in e["questions"]))))
        yield name, (heading, entity, rows)


def opened():
    for domain in read("reading-open.json"):
        rows = [(a["key"], maker(a["value"]), tuple(a["statements"]), tuple(a["questions"])) for a in domain["attributes"]]
        yield "open " + domain["domain"], (domain["heading"], KINDS[domain["entity"]], rows)


_furniture = read("reading-noise.json")
WIDENED = dict(widened())
OPEN = dict(opened())
DOMAINS = {**WIDENED, **OPEN}
NOISE = (*FIRST_NOISE, *_furniture["noise"])
TITLES = (*FIRST_TITLES, *(t for t in _furniture["titles"] if "{" not in t))
TITLES_WITH = tuple(t for t in _furniture["titles"] if "{" in t)
HEADINGS = tuple(_furniture["headings"])
