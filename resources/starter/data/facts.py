"""Facts from the tables: every relation has its frames, shared by all its entities. One row asked = one fact."""

from pathlib import Path

from .phrasings import read
from .sample import Sample, Turn, casual

FOLDER = Path(__file__).parent / "tables"


def rows(name: str):
    return [line.split("|") for line in (FOLDER / name).read_text(encoding="utf8").splitlines() if line]


def pairs_of(table: str, kind: str):
    return [(key, value) for k, key, value in rows(table) if k == kind]


def misc(kind: str):
    return pairs_of("misc.txt", kind)


def grammar(kind: str):
    return pairs_of("grammar.txt", kind)


def reverse(pairs):
    return [(value, key) for key, value in pairs]


def a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


# relation: (pairs, answer, question frames). {k} is asked, {v} is told.
RELATIONS = {
    "capital": ([(c, v) for c, v, _, _ in rows("countries.txt")], "The capital of {k} is {v}.", (
        "What is the capital of {k}?", "Which city is the capital of {k}?", "Name the capital of {k}.", "capital of {k}", "{k} capital?",
        "What's the capital city of {k}?", "Tell me the capital of {k}.", "The capital of {k} is called what?", "Do you know the capital of {k}?",
        "What is {k}'s capital?", "Can you tell me what the capital of {k} is?", "In which city does the government of {k} sit?",
        "I forgot the capital of {k}. What is it?", "Which town is the capital of {k}?", "Give me the capital city of {k}.", "What city is the capital of {k}?",
        "Say the capital of {k}.", "{k}: capital?")),
    "country": ([(v, c) for c, v, _, _ in rows("countries.txt") if c != v], "{k} is the capital of {v}.", (
        "{k} is the capital of which country?", "Of which country is {k} the capital?", "Which country has {k} as its capital?", "What country is {k} the capital of?",
        "In which country is {k}?", "Where is {k}?", "Name the country whose capital is {k}.", "Which country's capital is {k}?", "{k} is in what country?",
        "What country is {k} in?", "Tell me which country {k} belongs to.", "To which country does the city of {k} belong?", "Where in the world is {k}?",
        "Which country does {k} lie in?", "Is {k} a capital, and of what?", "{k}: which country?")),
    "continent": ([(c, v) for c, _, v, _ in rows("countries.txt")], "{k} is in {v}.", (
        "On which continent is {k}?", "Which continent is {k} in?", "What continent does {k} belong to?", "{k} is on which continent?", "Name the continent of {k}.",
        "In which part of the world is {k}?", "{k} continent?", "Tell me the continent of {k}.", "To which continent does {k} belong?", "What continent is {k} on?",
        "Which continent does the country {k} lie on?", "Where in the world is the country {k}?", "Do you know which continent {k} is on?",
        "On what continent can I find {k}?", "The country {k} is on which continent?", "{k}: which continent?")),
    "symbol": ([(n, s) for _, s, n in rows("elements.txt")], "The chemical symbol of {k} is {v}.", (
        "What is the chemical symbol of {k}?", "What is the symbol for {k}?", "Which symbol does {k} have?", "symbol of {k}", "Chemical symbol {k}?",
        "How is {k} written in chemistry?", "What letters stand for {k}?", "Tell me the symbol of the element {k}.", "What does chemistry call {k} for short?",
        "Give me the chemical symbol for {k}.", "{k}: symbol?", "What is {k}'s symbol in the periodic table?", "Which letters stand for {k} in the periodic table?",
        "Do you know the chemical symbol of {k}?", "Name the symbol for the element {k}.", "What's the symbol of {k}?")),
    "number": ([(n, i) for i, _, n in rows("elements.txt")], "The atomic number of {k} is {v}.", (
        "What is the atomic number of {k}?", "Which number does {k} have in the periodic table?", "atomic number of {k}", "How many protons does {k} have?",
        "Tell me the atomic number of {k}.", "What number is {k} in the periodic table?", "{k}: atomic number?", "Give me the atomic number of the element {k}.",
        "How many protons are in an atom of {k}?", "What is {k}'s atomic number?", "Which atomic number belongs to {k}?", "Where in the periodic table is {k}?",
        "Do you know the atomic number of {k}?", "At which number is {k} in the periodic table?", "What's the atomic number for {k}?", "Name the atomic number of {k}.")),
    "element": ([(s, n) for _, s, n in rows("elements.txt")], "{k} is the symbol of {v}.", (
        "Which element has the symbol {k}?", "What element is {k}?", "What does the chemical symbol {k} stand for?", "{k} is the symbol of which element?",
        "Name the element with the symbol {k}.", "Which element is written as {k}?", "What is {k} in the periodic table?", "In chemistry, what is {k}?",
        "The symbol {k} belongs to which element?", "Tell me which element {k} is.", "What element does {k} stand for?", "Chemistry: {k}?",
        "For which element does {k} stand?", "What chemical element is {k}?", "Which chemical element has the letters {k}?", "Element with symbol {k}?")),
    "young": ([(n, y) for n, y, _, _ in rows("animals.txt")], "A young {k} is called {v:a}.", (
        "What is a young {k} called?", "What do you call a baby {k}?", "What is the young of a {k} called?", "Name for a baby {k}?", "How is a young {k} called?",
        "What's a baby {k} called?", "Which word is used for a young {k}?", "Tell me the name of a young {k}.", "A baby {k} is called what?", "The young of a {k} is a what?",
        "What is the word for a {k}'s young?", "What do people call a young {k}?", "baby {k} name", "Give me the word for a baby {k}.", "Do you know what a young {k} is called?")),
    "class": ([(n, c) for n, _, c, _ in rows("animals.txt")], "The {k} is {v:a}.", (
        "What kind of animal is a {k}?", "Is a {k} a mammal, a bird or something else?", "Which class of animals does the {k} belong to?", "What class of animal is the {k}?",
        "A {k} is what kind of animal?", "To which group of animals does the {k} belong?", "What type of animal is a {k}?", "Tell me what kind of animal the {k} is.",
        "Is the {k} an insect, a fish or a mammal?", "How is the {k} classified?", "{k}: what kind of animal?", "In biology, what is a {k}?", "What sort of animal is a {k}?",
        "Which animal class is the {k} in?", "Do you know what kind of animal a {k} is?")),
    "legs": ([(n, l) for n, _, _, l in rows("animals.txt")], "Number of legs of {k:a}: {v}.", (
        "How many legs does a {k} have?", "How many legs has a {k}?", "What number of legs does a {k} have?", "Legs of a {k}?", "Tell me how many legs a {k} has.",
        "On how many legs does a {k} walk?", "Does a {k} have legs, and how many?", "Count the legs of a {k}.", "{k}: how many legs?", "How many legs are on a {k}?",
        "Do you know how many legs a {k} has?", "A {k} has how many legs?", "Say how many legs a {k} has.", "What is the number of legs of a {k}?", "With how many legs is a {k} born?")),
    "opposite": (rows("words.txt") + [(b, x) for x, b in rows("words.txt") if b not in {w for w, _ in rows("words.txt")} and [y for _, y in rows("words.txt")].count(b) == 1],
                 "The opposite of {k} is {v}.", (
        "What is the opposite of {k}?", "Opposite of {k}?", "What's the opposite of {k}?", "Give me the opposite of {k}.", "Which word means the opposite of {k}?",
        "Tell me the opposite of {k}.", "Name the opposite of {k}.", "{k}: opposite?", "What is the antonym of {k}?", "Antonym of {k}?", "What word is the contrary of {k}?",
        "I need a word that means the opposite of {k}.", "Do you know the opposite of {k}?", "If something is not {k}, it is what?", "Find the opposite of the word {k}.")),
    "planet-order": (misc("planet-order"), "The {k} planet from the sun is {v}.", (
        "What is the {k} planet from the sun?", "Which planet is {k} from the sun?", "Name the {k} planet.", "Which is the {k} planet of the solar system?",
        "Counted from the sun, which planet is {k}?", "The {k} planet is called what?", "Tell me the {k} planet from the sun.", "{k} planet?",
        "What is the name of the {k} planet?", "Which planet comes {k}?", "What planet is in {k} place from the sun?", "Do you know the {k} planet?",
        "What's the {k} planet in the solar system?", "Give me the {k} planet from the sun.", "Which planet has the {k} orbit?")),
    "sides": (misc("sides"), "Number of sides of {k:a}: {v}.", (
        "How many sides does {k:a} have?", "How many sides has {k:a}?", "How many corners does {k:a} have?", "Sides of {k:a}?", "Tell me how many sides {k:a} has.",
        "What is the number of sides of {k:a}?", "{k:a} has how many sides?", "How many edges does {k:a} have?", "Count the sides of {k:a}.", "How many angles does {k:a} have?",
        "With how many sides is {k:a} drawn?", "Do you know how many sides {k:a} has?", "What number of sides does {k:a} have?", "{k}: how many sides?", "Say how many sides {k:a} has.")),
    "month-days": (misc("month-days"), "{k} has {v} days.", (
        "How many days does {k} have?", "How many days are in {k}?", "How long is {k}?", "Days in {k}?", "Tell me how many days {k} has.", "{k} has how many days?",
        "What is the number of days in {k}?", "How many days long is the month of {k}?", "Does {k} have 30 or 31 days?", "Number of days in {k}?", "How many days are there in {k}?",
        "The month of {k} has how many days?", "Do you know how many days {k} has?", "What is the last day of {k}?", "{k}: how many days?")),
    "month-number": (misc("month-number"), "{k} is the {v} month.", (
        "Which month of the year is {k}?", "What number month is {k}?", "{k} is which month of the year?", "Is {k} the first, second or which month?", "Counted from January, which month is {k}?",
        "Which number does the month {k} have?", "Where in the year does {k} come?", "What is the position of {k} in the year?", "Tell me which month of the year {k} is.",
        "At which place of the year is {k}?", "{k}: which month?", "In the order of months, where is {k}?", "Do you know which month of the year {k} is?", "The month of {k} is number what?", "How many-th month is {k}?")),
    "mix": (misc("mix"), "Mixing {k} gives {v}.", (
        "What colour do {k} make?", "What do I get when I mix {k}?", "Mix {k}: which colour?", "Which colour comes from {k}?", "What is {k} mixed?", "If I mix {k}, what colour is it?",
        "Mixing {k} gives what?", "What colour is made of {k}?", "{k} makes which colour?", "What happens when I mix {k} paint?", "Tell me the colour of {k} mixed.",
        "Which colour do {k} give?", "What do {k} make together?", "Paint: {k} together?", "What is the mixture of {k}?")),
    "maker": (misc("maker"), "To make {k} you need {v}.", (
        "What is {k} made of?", "What is {k} made from?", "From what is {k} made?", "Where does {k} come from?", "What do you need to make {k}?", "{k} is made of what?",
        "What does one make {k} from?", "Out of what is {k} made?", "Tell me what {k} is made from.", "What is the raw material of {k}?", "What goes into {k}?", "How does one get {k}, from what?",
        "Which material is used for {k}?", "Do you know what {k} is made of?", "What is used to make {k}?")),
    "formula": (misc("formula"), "The formula of {k} is {v}.", (
        "What is the formula of {k}?", "What is the chemical formula of {k}?", "Chemical formula of {k}?", "How do I write {k} in chemistry?", "Give me the formula for {k}.",
        "Which formula does {k} have?", "Tell me the chemical formula for {k}.", "formula of {k}", "What's the formula for {k}?", "How is {k} written as a formula?",
        "Do you know the formula of {k}?", "What is {k} as a formula?", "Name the formula of {k}.", "In chemistry, what is the formula of {k}?", "{k}: formula?")),
    "author": (misc("author"), "{k} was written by {v}.", (
        "Who wrote {k}?", "Who is the author of {k}?", "By whom is {k}?", "Which author wrote {k}?", "{k} is by which author?", "Name the author of {k}.", "author of {k}",
        "Tell me who wrote {k}.", "Whose work is {k}?", "From which writer is {k}?", "Who was the writer of {k}?", "Do you know who wrote {k}?", "By which writer is {k}?",
        "The author of {k} is who?", "{k}: who wrote it?")),
    "painter": (misc("painter"), "{k} was painted by {v}.", (
        "Who painted {k}?", "Who is the painter of {k}?", "By whom was {k} painted?", "Which artist painted {k}?", "{k} is by which painter?", "Name the painter of {k}.",
        "Tell me who painted {k}.", "Whose painting is {k}?", "From which painter is {k}?", "Do you know who painted {k}?", "Which painter made {k}?", "painter of {k}",
        "The painter of {k} is who?", "Who made the picture {k}?", "{k}: who painted it?")),
    "composer": (misc("composer"), "{k} was composed by {v}.", (
        "Who composed {k}?", "Who is the composer of {k}?", "By whom is the music of {k}?", "Which composer wrote {k}?", "{k} is by which composer?", "Name the composer of {k}.",
        "Tell me who composed {k}.", "Whose music is {k}?", "From which composer is {k}?", "Do you know who composed {k}?", "Which composer made {k}?", "composer of {k}",
        "The composer of {k} is who?", "Who wrote the music of {k}?", "{k}: who composed it?")),
    "year": (misc("year"), "The year of {k} is {v}.", (
        "When was {k}?", "In which year was {k}?", "What year was {k}?", "{k}: which year?", "Tell me the year of {k}.", "Which year belongs to {k}?", "year of {k}",
        "When did {k} happen?", "In what year did {k} take place?", "Do you know when {k} was?", "What is the year of {k}?", "Give me the year of {k}.", "When in history was {k}?",
        "Name the year of {k}.", "At what time in history was {k}?")),
    "instrument": (misc("instrument"), "{k:C} can be measured with {v}.", (
        "With what does one measure {k}?", "Which instrument measures {k}?", "What is used to measure {k}?", "How do I measure {k}?", "What measures {k}?", "Name an instrument for {k}.",
        "What do I need to measure {k}?", "Which tool measures {k}?", "Tell me how {k} is measured.", "{k} is measured with what?", "What instrument is for {k}?",
        "What is the instrument for measuring {k}?", "By what is {k} measured?", "Do you know what measures {k}?", "What device shows {k}?")),
    "study": (misc("study"), "The study of {k} is called {v}.", (
        "What is the study of {k} called?", "Which science studies {k}?", "What do you call the science of {k}?", "The science of {k} is called what?", "Name the study of {k}.",
        "What is the science of {k}?", "Which subject is about {k}?", "What field studies {k}?", "Tell me the word for the study of {k}.", "How is the study of {k} called?",
        "Which field of science deals with {k}?", "What is the name of the science of {k}?", "Do you know the science of {k}?", "Someone who studies {k} works in what?", "study of {k}?")),
    "plural": (grammar("plural"), "The plural of {k} is {v}.", (
        "What is the plural of {k}?", "Plural of {k}?", "One {k}, two what?", "What's the plural of {k}?", "How do I write more than one {k}?", "Give me the plural of {k}.",
        "Which word is the plural of {k}?", "Tell me the plural of the word {k}.", "{k}: plural?", "How is the plural of {k} formed?", "What do you say for several of {k}?",
        "Do you know the plural of {k}?", "If there are two of the word {k}, what do I write?", "Name the plural of {k}.", "In grammar, what is the plural of {k}?")),
    "past": (grammar("past"), "The past tense of {k} is {v}.", (
        "What is the past tense of {k}?", "Past tense of {k}?", "Today I {k}, yesterday I what?", "What's the past of {k}?", "Give me the past tense of {k}.", "How do I write {k} in the past?",
        "Which word is the past tense of {k}?", "Tell me the past tense of {k}.", "{k}: past tense?", "What is the past form of {k}?", "The past tense of {k} is what?",
        "Do you know the past tense of {k}?", "In grammar, what is the past of {k}?", "Name the past tense of the verb {k}.", "How is the past of {k} formed?")),
    # All frames of these are in phrasings/frames.json.
    "state-capital": (rows("states.txt"), "The state capital of {k} is {v}.", ()),
    "state-of": (reverse(rows("states.txt")), "{k} is the capital of the state of {v}.", ()),
    "iso": ([(c, i) for c, _, _, i in rows("countries.txt")], "The country code of {k} is {v}.", ()),
    "iso-country": ([(i, c) for c, _, _, i in rows("countries.txt")], "{k} is the country code of {v}.", ()),
    "roman": (rows("roman.txt"), "{k} in Roman numerals is {v}.", ()),
    "roman-number": (reverse(rows("roman.txt")), "The Roman numeral {k} is {v}.", ()),
    "numbered-element": ([(i, n) for i, _, n in rows("elements.txt")], "Element number {k} is {v}.", ()),
    "participle": (grammar("participle"), "The past participle of {k} is {v}.", ()),
    "comparative": (grammar("comparative"), "The comparative of {k} is {v}.", ()),
    "superlative": (grammar("superlative"), "The superlative of {k} is {v}.", ()),
}


_more = read("frames.json")["facts"]
RELATIONS = {name: (pairs, answer, (*frames, *_more[name])) for name, (pairs, answer, frames) in RELATIONS.items()}


class Words(str):
    """A value that can be written with an article (`{k:a}`), a capital (`{k:C}`) or in lower case (`{k:l}`)."""

    def __format__(self, spec):
        return {"a": a, "C": sentence, "l": str.lower}.get(spec, str)(str(self))


def sentence(text: str) -> str:
    return text[0].upper() + text[1:]


WEIGHTS = {}  # relation: how many times as often as its size says; build.py sets it, for relations that a checkpoint has not seen yet


def generate(rng, relations=RELATIONS) -> Sample:
    names = sorted(relations)
    weights = [len(relations[n][0]) ** 0.75 * WEIGHTS.get(n, 1) for n in names]
    name = rng.choices(names, weights)[0]
    pairs, answer, frames = relations[name]
    k, v = rng.choice(pairs)
    question = sentence(rng.choice(frames).format(k=Words(k), v=Words(v)))
    if name in ("element",):  # the case of a symbol matters
        question = question.replace(question[: len(k)], k, 1) if question.lower().startswith(k.lower() + " ") else question
    text = sentence(answer.format(k=Words(k), v=Words(v)))
    return Sample("facts", [Turn(casual(rng, question), text, (v,))], facts={"kind": name, "expected": v})
