"""Questions over one to three numbered passages in the app's own document prompt. The answer is a span copied from a passage with
its number, or the fixed sentence of absence. A third of the questions have no answer, mostly by a near miss: the entity is there
with another attribute, or the attribute with another entity. `tables` is replaced by unseen frames in the test."""

from . import names as N
from . import reading_tables as train_tables
from .document_prompt import ABSENT, document_prompt
from .sample import Sample, Turn, casual

ABSENT_SHARE = 0.35


def sentence(rng, frame: str, entity: str, value: str) -> str:
    text = frame.format(e=entity, v=value)
    return text[0].upper() + text[1:]


def state(rng, attribute, entity, values):
    key, make, frames, _ = attribute
    value = make(rng).strip()
    values[(entity, key)] = value
    return sentence(rng, rng.choice(frames), entity, value)


def build(rng, tables=train_tables):
    """Returns (passages, question, answer, facts)."""
    domain = rng.choice(sorted(tables.DOMAINS))
    heading, make_entity, attributes = tables.DOMAINS[domain]
    n_passages = rng.choices((1, 2, 3), (40, 33, 27))[0]
    entities, values, passages = [], {}, []
    for _ in range(n_passages):
        passage_entities = []
        for _ in range(rng.choices((1, 2), (65, 35))[0]):
            entity = make_entity(rng)
            while entity in entities:
                entity = make_entity(rng)
            entities.append(entity)
            passage_entities.append(entity)
        lines = []
        for entity in passage_entities:
            for attribute in rng.sample(attributes, rng.randint(1, min(3, len(attributes) - 1))):
                lines.append(state(rng, attribute, entity, values))
        if rng.random() < 0.6:
            rng.shuffle(lines)
        for _ in range(rng.choices((0, 1, 2), (40, 40, 20))[0]):
            lines.insert(rng.randint(0, len(lines)), rng.choice(tables.NOISE))
        text = " ".join(lines)
        if rng.random() < 0.12:
            text = f"{heading}. {text}"
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
            other = rng.choice([d for d in sorted(tables.DOMAINS) if d != domain])
            _, make_other, other_attributes = tables.DOMAINS[other]
            entity, by_key, kind = make_other(rng), {a[0]: a for a in other_attributes}, "far"
            key = rng.choice(sorted(by_key))
        answer, heavy = ABSENT, (ABSENT[:11],)
    else:
        entity, key = rng.choice(known)
        number = next(i for i, (names, _) in enumerate(passages, 1) if entity in names)
        value = values[(entity, key)]
        answer, heavy = f"{value[0].upper()}{value[1:]} [{number}].", (value[1:], f"[{number}]")
    question = rng.choice(by_key[key][3]).format(e=entity)
    facts = {"kind": kind, "expected": answer, "domain": domain, "key": key}
    titled = [(title(rng, heading), rng.randint(1, 80) if rng.random() < 0.7 else None, text) for _, text in passages]
    return titled, question, answer, heavy, facts


def title(rng, heading: str) -> str:
    form = rng.randrange(4)
    if form == 0:
        return rng.choice(train_tables.TITLES)
    if form == 1:
        return f"{heading.lower()}.{rng.choice(('pdf', 'txt', 'docx', 'md'))}"
    if form == 2:
        return f"{N.thing(rng)} {rng.choice(train_tables.TITLES).lower()}"
    return f"{rng.choice(train_tables.TITLES)} {rng.randint(1990, 2035)}"


def generate(rng, tables=train_tables) -> Sample:
    passages, question, answer, heavy, facts = build(rng, tables)
    return Sample("reading", [Turn(document_prompt(passages, casual(rng, question)), answer, heavy)], facts=facts)
