"""Questions over one to three numbered passages in the app's own document prompt. The answer is a span copied from a passage, as it stands
there, with its number, or the fixed sentence of absence. A third of the questions have no answer, mostly by a near miss: the entity is there
with another attribute, or the attribute with another entity.

The answer starts with the blank before the span, so that it is copied token for token: without the blank, or with a capital, the same words
are other tokens, which a tiny model would have to learn piece by piece. And it starts with the span, not with words of its own: so finding
a span and finding none meet in one token, and what is not found is refused."""

from . import names as N
from . import reading_domains as R
from .document_prompt import ABSENT, document_prompt
from .sample import Sample, Turn, casual

ABSENT_SHARE = 0.35
SIMPLE_SHARE = 0.4  # one passage of one or two statements: matching question and statement is learned there first; build.py sets it
SHARING = 6  # questions over the same passages, at most


def state(rng, attribute, entity, values):
    """A sentence that gives `entity` a value of `attribute`; notes the value as the sentence writes it."""
    key, make, frames, _ = attribute
    value = make(rng).strip()
    frame = rng.choice(frames)
    text = frame.replace("{e}", entity).replace("{v}", value)
    text = text[0].upper() + text[1:]
    values[(entity, key)] = value if value in text else text[: len(value)]
    return text


def passage(rng, domain, entities, values, simple: bool):
    """One passage on one to four entities that are not in `entities` yet (added there); returns (its entities, text)."""
    heading, make_entity, attributes = R.DOMAINS[domain]
    mine = []
    for _ in range(rng.choices((1, 2, 3, 4), (45, 55, 0, 0) if simple else (35, 30, 20, 15))[0]):
        mine.append(another(rng, make_entity, entities))
        entities.append(mine[-1])
    most = 3 - len(mine) if simple else 3 if len(mine) == 1 else 2 if len(mine) == 2 else 1
    shared = rng.choice(attributes) if rng.random() < 0.4 else None  # the same attribute of each: only the entity tells them apart
    lines = []
    for entity in mine:
        chosen = rng.sample(attributes, rng.randint(1, min(most, len(attributes) - 1)))
        if shared is not None and shared not in chosen:
            chosen[0] = shared
        lines += [state(rng, attribute, entity, values) for attribute in chosen]
    if rng.random() < 0.6:
        rng.shuffle(lines)
    for _ in range(0 if simple else rng.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]):
        lines.insert(rng.randint(0, len(lines)), rng.choice(R.NOISE))
    text = ("\n" if rng.random() < 0.06 else " ").join(lines)
    if rng.random() < 0.15:
        text = f"{rng.choice((heading, rng.choice(R.HEADINGS)))}{rng.choice(('. ', chr(10)))}{text}"
    if rng.random() < 0.10:
        text = f"{text} - {rng.randint(1, 300)} -"
    return mine, text


def another(rng, make_entity, entities):
    while True:
        entity = make_entity(rng)
        if entity not in entities:
            return entity


def present(rng, domain, passages, values, asked):
    """A question that a passage answers: (question, answer, heavy)."""
    entity, key = rng.choice([pair for pair in sorted(values) if pair not in asked])
    asked.add((entity, key))
    number = next(i for i, (names, _) in enumerate(passages, 1) if entity in names)
    value = values[(entity, key)]
    return ask(rng, domain, key, entity), f" {value} [{number}].", (f" {value}", f"[{number}]")


def absent(rng, domain, entities, values):
    """A question that none answers: (question, answer, heavy)."""
    _, make_entity, attributes = R.DOMAINS[domain]
    stated = {key for _, key in values}
    options = [(e, a[0]) for e in entities for a in attributes if (e, a[0]) not in values]
    kind = rng.choices(("near-attribute", "near-entity", "far"), (45, 40, 15))[0]
    if kind == "near-entity":  # the attribute is stated, but for somebody else
        question = ask(rng, domain, rng.choice(sorted(stated)), another(rng, make_entity, entities))
    elif kind == "near-attribute" and options:
        entity, key = rng.choice([o for o in options if o[1] in stated] or options)
        question = ask(rng, domain, key, entity)
    else:
        other = rng.choice([d for d in sorted(R.DOMAINS) if d != domain])
        _, make_other, other_attributes = R.DOMAINS[other]
        question = ask(rng, other, rng.choice(other_attributes)[0], make_other(rng))
    return question, ABSENT, (ABSENT[:11],)


def ask(rng, domain, key, entity):
    questions = next(a[3] for a in R.DOMAINS[domain][2] if a[0] == key)
    question = rng.choice(questions).replace("{e}", entity)
    return question if rng.random() < 0.3 else question[0].upper() + question[1:]


def title(rng, heading: str) -> str:
    form = rng.randrange(5)
    if form == 0:
        return rng.choice(R.TITLES)
    if form == 1:
        return f"{heading.lower()}.{rng.choice(('pdf', 'txt', 'docx', 'md'))}"
    if form == 2:
        return f"{N.thing(rng)} {rng.choice(R.TITLES).lower()}"
    if form == 3:
        return rng.choice(R.TITLES_WITH).replace("{n}", N.thing(rng)).replace("{d}", str(rng.randint(1, 40)))
    return f"{rng.choice(R.TITLES)} {rng.randint(1990, 2035)}"


def generate(rng) -> Sample:
    """Passages of one domain and up to SHARING questions over them: what they share is read once in training (see conversation.encode_sharing)."""
    domain = rng.choice(sorted(R.WIDENED if rng.random() < 0.5 else R.OPEN))
    simple = rng.random() < SIMPLE_SHARE
    entities, values, asked = [], {}, set()
    passages = [passage(rng, domain, entities, values, simple) for _ in range(1 if simple else rng.choices((1, 2, 3), (40, 33, 27))[0])]
    rng.shuffle(passages)
    titled = [(title(rng, R.DOMAINS[domain][0]), rng.randint(1, 320) if rng.random() < 0.6 else None, text) for _, text in passages]
    turns = []
    for _ in range(rng.randint(2, SHARING)):
        if rng.random() < ABSENT_SHARE or len(asked) == len(values):
            question, answer, heavy = absent(rng, domain, entities, values)
        else:
            question, answer, heavy = present(rng, domain, passages, values, asked)
        turns.append(Turn(document_prompt(titled, casual(rng, question)), answer, heavy))
    return Sample("reading", turns[:1], facts={"expected": turns[0].answer}, instead=turns[1:])
