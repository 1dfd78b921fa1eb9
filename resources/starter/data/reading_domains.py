"""All domains of the reading task: the first tables with the phrasings of other hands, the open domains, and those put together from tables."""

from itertools import chain

from . import names as N
from . import reading_values as V
from .phrasings import FOLDER, read
from .reading_composed import composed
from .reading_invented import invented
from .reading_tables import DOMAINS as FIRST, NOISE as FIRST_NOISE, TITLES as FIRST_TITLES

HANDS = 8  # files reading-1.json to reading-8.json
OPEN_FILES = ("reading-open.json", "reading-open-2.json", "reading-open-3.json")
CARD_FILES = tuple(sorted(path.name for path in FOLDER.glob("reading-cards-*.json")))  # eight attributes a domain, of three statements and three questions each


def maker(value):
    """What makes a value: a kind by name, an amount with its unit, or a list to pick from."""
    if isinstance(value, str):
        return N.KINDS[value]
    if isinstance(value, list):
        return N.pick(value)
    return N.amount(value["unit"], value["low"], value["high"])


def rows_of(domain):
    for a in domain["attributes"]:
        yield a["key"], V.wide("", maker(a["value"]), a["value"] if isinstance(a["value"], list) else ()), tuple(a["statements"]), tuple(a["questions"])


def widened():
    more = [read(f"reading-{n}.json") for n in range(1, HANDS + 1)]
    for name, (heading, entity, attributes) in FIRST.items():
        rows = []
        for key, make, statements, questions in attributes:
            extra = [m[name][key] for m in more]
            rows.append((key, V.wide(key, make), (*statements, *(s for e in extra for s in e["statements"])), (*questions, *(q for e in extra for q in e["questions"]))))
        yield name, (heading, V.entity(entity, name), rows)


def opened():
    for domain in _open:
        yield "open " + domain["domain"], (domain["heading"], V.entity(N.KINDS[domain["entity"]], domain["entity"]), [*rows_of(domain)])


def carded(*files):
    for file in files:
        for domain in read(file):
            yield f"{file} {domain['domain']}", (domain["heading"], V.patterned(domain["entity"]), [*rows_of(domain)])


_open = [*chain.from_iterable(map(read, OPEN_FILES))]
_furniture = read("reading-noise.json")
WIDENED = dict(widened())
OPEN = dict(opened())
COMPOSED = dict(composed())
INVENTED = dict(invented())
CARDS = dict(carded(*CARD_FILES))
KEPT_BACK = dict(carded("reading-kept-back.json"))  # never trained: dev.py asks them
PEOPLE = {"person", *("open " + d["domain"] for d in _open if d["entity"] == "person")}
DOMAINS = {**WIDENED, **OPEN, **COMPOSED, **INVENTED, **CARDS}
NOISE = (*FIRST_NOISE, *_furniture["noise"])
TITLES = (*FIRST_TITLES, *(t for t in _furniture["titles"] if "{" not in t))
TITLES_WITH = tuple(t for t in _furniture["titles"] if "{" in t)
HEADINGS = tuple(_furniture["headings"])
