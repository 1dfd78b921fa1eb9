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


def state(rng, attribute, entity, values):
    """A sentence that gives `entity` a value of `attribute`; notes the value as the sentence writes it."""
    key, make, frames, _ = attribute
    value = make(rng).strip()
    frame = rng.choice(frames)
    text = frame.replace("{e}", entity).replace("{v}", value)
    text = text[0].upper() + text[1:]
    values[(entity, key)] = value if value in text else text[: len(value)]
    return text


def build(rng):
    """Returns (passages, question, answer, heavy, facts)."""
    domain = rng.choice(sorted(R.WIDENED if rng.random() < 0.5 else R.OPEN))
    heading, make_entity, attributes = R.DOMAINS[domain]
    simple = rng.random() < SIMPLE_SHARE
    n_passages = 1 if simple else rng.choices((1, 2, 3), (40, 33, 27))[0]
    entities, values, passages = [], {}, []
    for _ in range(n_passages):
        passage_entities = []
        for _ in range(rng.choices((1, 2, 3), (45, 55, 0) if simple else (45, 35, 20))[0]):
            entity = make_entity(rng)
            while entity in entities:
                entity = make_entity(rng)
            entities.append(entity)
            passage_entities.append(entity)
        lines = []
        for entity in passage_entities:
            most = 3 - len(passage_entities) if simple else 3 if len(passage_entities) == 1 else 2
            for attribute in rng.sample(attributes, rng.randint(1, min(most, len(attributes) - 1))):
                lines.append(state(rng, attribute, entity, values))
        if rng.random() < 0.6:
            rng.shuffle(lines)
        for _ in range(0 if simple else rng.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]):
            lines.insert(rng.randint(0, len(lines)), rng.choice(R.NOISE))
        text = ("\n" if rng.random() < 0.06 else " ").join(lines)
        if rng.random() < 0.15:
            text = f"{rng.choice((heading, rng.choice(R.HEADINGS)))}{rng.choice(('. ', chr(10)))}{text}"
        if rng.random() < 0.10:
            text = f"{text} - {rng.randint(1, 300)} -"
        passages.append((passage_entities, text))
    rng.shuffle(passages)

    known = sorted(values)
    by_key = {a[0]: a for a in attributes}
    kind = "present"
    if rng.random() < ABSENT_SHARE:
        kind = rng.choices(("near-attribute", "near-entity", "far"), (45, 40, 15))[0]
        options = [(e, k) for e in entities for k in sorted(by_key) if (e, k) not in values]
        if kind == "near-entity":  # the attribute is stated, but for somebody else
            entity, key = make_entity(rng), rng.choice(known)[1]
            while entity in entities:
                entity = make_entity(rng)
        elif kind == "near-attribute" and options:
            stated = {k for _, k in known}
            entity, key = rng.choice([o for o in options if o[1] in stated] or options)
        else:
            other = rng.choice([d for d in sorted(R.DOMAINS) if d != domain])
            _, make_other, other_attributes = R.DOMAINS[other]
            entity, by_key, kind = make_other(rng), {a[0]: a for a in other_attributes}, "far"
            key = rng.choice(sorted(by_key))
        answer, heavy = ABSENT, (ABSENT[:11],)
    else:
        entity, key = rng.choice(known)
        number = next(i for i, (names, _) in enumerate(passages, 1) if entity in names)
        value = values[(entity, key)]
        answer, heavy = f" {value} [{number}].", (f" {value}", f"[{number}]")
    question = rng.choice(by_key[key][3]).replace("{e}", entity)
    question = question if rng.random() < 0.3 else question[0].upper() + question[1:]
    facts = {"kind": kind, "expected": answer, "domain": domain, "key": key}
    titled = [(title(rng, heading), rng.randint(1, 320) if rng.random() < 0.6 else None, text) for _, text in passages]
    return titled, question, answer, heavy, facts


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
    passages, question, answer, heavy, facts = build(rng)
    return Sample("reading", [Turn(document_prompt(passages, casual(rng, question)), answer, heavy)], facts=facts)
