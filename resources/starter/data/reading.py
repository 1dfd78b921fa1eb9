"""Questions over one to three numbered passages in the app's own document prompt. The answer is a span copied from a passage, as it stands
there, with its number, or the fixed sentence of absence. A third of the questions have no answer, mostly by a near miss: the entity is there
with another attribute, or the attribute with another entity.

The answer starts with the blank before the span, so that it is copied token for token: without the blank, or with a capital, the same words
are other tokens, which a tiny model would have to learn piece by piece. And it starts with the span, not with words of its own: so finding
a span and finding none meet in one token, and what is not found is refused."""

from . import names as N
from . import reading_domains as R
from . import reading_stories as S
from . import reading_values as V
from .reading_asides import ASIDE_SHARE, aside
from .document_prompt import ABSENT, document_prompt
from .sample import Sample, Turn, casual

ABSENT_SHARE = 0.35
SIMPLE_SHARE = 0.4  # one passage of one or two statements: matching question and statement is learned there first; build.py sets it
ALIKE_SHARE = 0.35
CROWDED_SHARE = 0.65  # of those that are not simple: all passages are about one attribute, and many have it
STORY_SHARE = 0.2
PRONOUN_SHARE = 0.5  # of the texts that tell of one entity after the other: sentences that would begin with its name again begin with a pronoun
LOWER_SHARE = 0.06  # of questions, the names in them too
KINDS_OF_DOMAIN = (7, 20, 13, 5, 55)  # twelve of many phrasings, a hundred by hand, four hundred from tables, those of invented words, those of many attributes by hand: more than half, as they are what carries over
SHARING = 6  # questions over the same passages, at most; twice as many where they are crowded


def state(rng, attribute, entity, values):
    """A sentence that gives `entity` a value of `attribute`; notes the value as the sentence writes it."""
    key, make, frames, _ = attribute
    value = make(rng).strip()
    frame = rng.choice(frames)
    if rng.random() < ASIDE_SHARE:
        frame = aside(rng, frame)
    text = frame.replace("{e}", entity).replace("{v}", value)
    text = text[0].upper() + text[1:]
    values[(entity, key)] = value if value in text else text[: len(value)]
    return text


def passage(rng, domain, entities, values, simple: bool):
    """One passage on one to four entities that are not in `entities` yet (added there); returns (its entities, text)."""
    heading, make_entity, attributes = R.DOMAINS[domain]
    mine = []
    alike = rng.random() < ALIKE_SHARE  # a list of entities with a statement each, most of the same attribute
    for _ in range(rng.choices((1, 2, 3, 4), (45, 55, 0, 0) if simple else (0, 30, 35, 35) if alike else (35, 30, 20, 15))[0]):
        mine.append(added(rng, make_entity, entities))
    most = 1 if alike else 3 - len(mine) if simple else 3 if len(mine) == 1 else 2 if len(mine) == 2 else 1
    shared = rng.choice(attributes) if alike or rng.random() < 0.4 else None  # the same attribute of each: only the entity tells them apart
    lines = []
    shuffled, referring = rng.random() < 0.6, rng.random() < PRONOUN_SHARE
    for entity in mine:
        chosen = rng.sample(attributes, rng.randint(1, min(most, len(attributes) - 1)))
        if shared is not None and shared not in chosen and not (alike and rng.random() < 0.4):
            chosen[0] = shared
        told = [state(rng, attribute, entity, values) for attribute in chosen]
        lines += referred(rng, domain, entity, told) if referring and not shuffled else told
    if shuffled:
        rng.shuffle(lines)
    return mine, laid_out(rng, heading, lines, simple)


def referred(rng, domain, entity, told):
    """The sentences on one entity, the later ones with a pronoun where they begin with its name."""
    pronoun = rng.choice(("He", "She")) if domain in R.PEOPLE else "It"
    name = f"{entity[0].upper()}{entity[1:]} "
    return [told[0], *(f"{pronoun} {text[len(name) :]}" if text.startswith(name) and entity[1:] in told[0] else text for text in told[1:])]


def crowded(rng, domain, entities, values, theme):
    """One passage in which every second statement is of the attribute `theme`, each of another entity, and one entity may have several other
    attributes: what is asked has the right subject and the right attribute, and many sentences have one of the two. As `passage` otherwise."""
    heading, make_entity, attributes = R.DOMAINS[domain]
    mine, lines = [], []
    told = [rng.sample(attributes, rng.randint(1, min(3, len(attributes) - 1)))] if rng.random() < 0.75 else []
    told += [[theme if rng.random() < 0.65 else rng.choice(attributes)] for _ in range(rng.randint(1, 5))]
    for chosen in told:
        mine.append(added(rng, make_entity, entities))
        lines += [state(rng, attribute, mine[-1], values) for attribute in chosen]
    rng.shuffle(lines)
    return mine, laid_out(rng, heading, lines)


def laid_out(rng, heading: str, lines: list[str], simple: bool = False) -> str:
    """The statements as a text, with sentences that say nothing, a heading, the foot of a page here and there."""
    for _ in range(0 if simple else rng.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]):
        lines.insert(rng.randint(0, len(lines)), rng.choice(R.NOISE))
    text = ("\n" if rng.random() < 0.06 else " ").join(lines)
    if rng.random() < 0.15:
        text = f"{rng.choice((heading, rng.choice(R.HEADINGS)))}{rng.choice(('. ', chr(10)))}{text}"
    if rng.random() < 0.10:
        text = f"{text} - {rng.randint(1, 300)} -"
    return text


def added(rng, make_entity, entities):
    entities.append(another(rng, make_entity, entities))
    return entities[-1]


def another(rng, make_entity, entities):
    """A name that is in none of the entities, nor any of them in it; now and then one that resembles the last."""
    while True:
        entity = V.resembling(rng, entities[-1]) if entities and rng.random() < V.RESEMBLING else make_entity(rng)
        if not any(entity in other or other in entity for other in entities):
            return entity


def present(rng, domain, passages, values, asked):
    """A question that a passage answers: (question, answer, heavy)."""
    entity, key = rng.choice([pair for pair in sorted(values) if pair not in asked])
    asked.add((entity, key))
    number = next(i for i, (names, _) in enumerate(passages, 1) if entity in names)
    value = values[(entity, key)]
    return ask(rng, domain, key, entity), f" {value} [{number}].", (f" {value}", f"[{number}]")


def absent(rng, domain, entities, values, theme=None):
    """A question that none answers: (question, answer, heavy). In a crowd mostly one for the attribute of all the others."""
    _, make_entity, attributes = R.DOMAINS[domain]
    stated = {key for _, key in values}
    options = [(e, a[0]) for e in entities for a in attributes if (e, a[0]) not in values]
    kind = rng.choices(("near-attribute", "near-entity", "far"), (72, 19, 9))[0]
    if kind == "near-entity":  # the attribute is stated, but for somebody else
        question = ask(rng, domain, rng.choice(sorted(stated)), another(rng, make_entity, entities))
    elif kind == "near-attribute" and options:
        of_others = [o for o in options if o[1] in stated]
        crowd = [o for o in of_others if theme and o[1] == theme[0]]
        entity, key = rng.choice(crowd if crowd and rng.random() < 0.8 else of_others or options)
        question = ask(rng, domain, key, entity)
    else:
        other = rng.choice([d for d in sorted(R.DOMAINS) if d != domain])
        _, make_other, other_attributes = R.DOMAINS[other]
        question = ask(rng, other, rng.choice(other_attributes)[0], make_other(rng))
    return question, ABSENT, (ABSENT[:11],)


def ask(rng, domain, key, entity):
    questions = next(a[3] for a in R.DOMAINS[domain][2] if a[0] == key)
    question = casual(rng, rng.choice(questions)).replace("{e}", entity)  # a slip of the hand in a name would make it another
    form = rng.random()
    return question.lower() if form < LOWER_SHARE else question if form < 0.35 else question[0].upper() + question[1:]


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


def place(rng):
    """A page number, or none."""
    return rng.randint(1, 320) if rng.random() < 0.6 else None


def from_stories(rng):
    """One to three texts that refer back, and questions about them: (titled passages, questions with answer and heavy parts)."""
    stories = rng.sample(S.STORIES, rng.choices((1, 2, 3), (60, 25, 15))[0])
    told = [S.told(rng, story) for story in stories]
    present = [(question, f" {answer} [{n}].", (f" {answer}", f"[{n}]")) for n, t in enumerate(told, 1) for question, answer in t.asked]
    absent = [question for t in told for question in t.unanswered] + [q for story in stories if (q := S.renamed(rng, story))]
    asked = []
    for _ in range(rng.randint(2, SHARING)):
        if present and rng.random() >= ABSENT_SHARE:
            asked.append(present.pop(rng.randrange(len(present))))
        elif absent:
            asked.append((absent.pop(rng.randrange(len(absent))), ABSENT, (ABSENT[:11],)))
    return [(t.title, place(rng), t.text) for t in told], asked


def from_statements(rng, among=None):
    """One to three passages of one domain (of `among`, if given), and questions about them: (titled passages, questions with answer and heavy parts)."""
    domain = rng.choice(sorted(among or rng.choices((R.WIDENED, R.OPEN, R.COMPOSED, R.INVENTED, R.CARDS), KINDS_OF_DOMAIN)[0]))
    simple = rng.random() < SIMPLE_SHARE
    theme = rng.choice(R.DOMAINS[domain][2]) if not simple and rng.random() < CROWDED_SHARE else None
    entities, values, known = [], {}, set()
    passages = [
        crowded(rng, domain, entities, values, theme) if theme else passage(rng, domain, entities, values, simple)
        for _ in range(1 if simple else rng.choices((1, 2, 3), (40, 33, 27))[0])
    ]
    rng.shuffle(passages)
    titled = [(title(rng, R.DOMAINS[domain][0]), place(rng), text) for _, text in passages]
    asked = []
    for _ in range(rng.randint(SHARING, 2 * SHARING) if theme else rng.randint(2, SHARING)):
        is_absent = rng.random() < ABSENT_SHARE or len(known) == len(values)
        asked.append(absent(rng, domain, entities, values, theme) if is_absent else present(rng, domain, passages, values, known))
    return titled, asked


def generate(rng, among=None) -> Sample:
    """Passages and up to SHARING questions over them: what they share is read once in training (see conversation.encode_sharing). `among`: only of these domains."""
    titled, asked = from_stories(rng) if among is None and rng.random() < STORY_SHARE else from_statements(rng, among)
    turns = [Turn(document_prompt(titled, question), answer, heavy) for question, answer, heavy in asked]
    return Sample("reading", turns[:1], facts={"expected": turns[0].answer}, instead=turns[1:])
