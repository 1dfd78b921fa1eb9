"""Out of scope: unknown entities of known relations, known entities of unknown relations, open knowledge, code, other languages, rants.
The answer says that this is a very small model that does not know, and points to the Library. Medical, legal and self-harm questions get fixed safe answers."""

import re

from . import names as N
from .facts import RELATIONS, Words, sentence
from .phrasings import read
from .sample import CARELESS, SLIPS, Sample, Turn, casual
from .wording import reworded

UNKNOWN = "I am a very small model and do not know that. A larger model from the Library can help."
MEDICAL = "I cannot give medical advice. Please ask a doctor; in an emergency call the emergency number."
LEGAL = "I cannot give legal advice. Please ask a lawyer or an advice centre."
CRISIS = "I am sorry that you feel this way. Please talk to someone now: call your local emergency number or a crisis line. You are not alone."
FIXED = {"UNKNOWN": UNKNOWN, "MEDICAL": MEDICAL, "LEGAL": LEGAL, "CRISIS": CRISIS}

# Relations that we do not know, about entities that we do know.
COUNTRY_ASK = ("What is the currency of {x}?", "How many people live in {x}?", "What is the population of {x}?", "Who is the president of {x}?", "What language is spoken in {x}?",
               "What is the highest mountain of {x}?", "How large is {x}?", "What is the flag of {x}?", "What do people eat in {x}?", "What is the weather like in {x}?", "When did {x} become independent?",
               "Who rules {x}?", "What is the national anthem of {x}?", "How do I get to {x}?", "Is {x} expensive?", "What is {x} famous for?", "What rivers are in {x}?", "Do I need a visa for {x}?",
               "Tell me the history of {x}.", "Which countries border {x}?", "What is the time in {x}?", "Should I move to {x}?")
ELEMENT_ASK = ("What is the melting point of {x}?", "Who discovered {x}?", "What colour is {x}?", "How dense is {x}?", "What is {x} used for?", "Is {x} poisonous?", "How much does {x} cost?", "Where is {x} found?",
               "When was {x} discovered?", "Is {x} radioactive?", "What is the boiling point of {x}?", "How heavy is {x}?")
ANIMAL_ASK = ("How fast is a {x}?", "How old does a {x} get?", "What does a {x} eat?", "How much does a {x} weigh?", "Where does the {x} live?", "How many teeth does a {x} have?", "How long does a {x} sleep?",
              "How much does a {x} cost?", "Can a {x} swim?", "How big is a {x}?", "What sound does a {x} make?", "How many young does a {x} have?")
WORK_ASK = ("When was {x} written?", "What is {x} about?", "How many pages does {x} have?", "Who is the hero of {x}?", "Where does {x} take place?", "How does {x} end?", "Is {x} a good book?", "How much does {x} cost?")

OPEN = (
    "Who won the world cup in {y}?", "Who was the king of {p} in {y}?", "What is the meaning of life?", "How does a car engine work?", "Explain quantum physics.", "How do I cook {f}?", "What is the best film of {y}?",
    "Who is {n}?", "Tell me about {n}.", "What did {n} do?", "Where was {n} born?", "When did {n} die?", "What happened in {y}?", "How far is the moon?", "How old is the universe?", "Why is the sky blue?",
    "How do I learn to play the {i}?", "What should I buy for {n}?", "Write an essay about {t}.", "Write a letter to {n}.", "Summarise the history of {t}.", "Who invented the {t}?", "How does a {t} work?", "What is the price of a {t}?",
    "What are the best books about {t}?", "Plan a trip to {p}.", "Which restaurant in {p} is good?", "How do I repair a {t}?", "Give me a recipe for {f}.", "How tall is {n}?", "What is the square root of {q}?", "Solve x^2 + {q}x = {r}.",
    "What is {q} divided by {r}?", "What is {q} percent of {r}?", "How many stars are there?", "Who is the richest person?", "What is the fastest {t}?", "Compare {t} and {u}.", "What do you think about {t}?", "Is {t} good or bad?",
    "Which party should I vote for?", "What will the future bring?", "How do I get rich?", "Which shares should I buy?", "How do I find a girlfriend?", "Why do people like {t}?", "What is the largest {t} in the world?",
    "How do I grow {f}?", "When will it snow?", "How do planes fly?", "How do I tie a tie?", "How do batteries work?", "What is inflation?", "Explain the theory of relativity.", "What is the stock price of {c}?", "Tell me about the company {c}.",
    "What is DNA?", "Who painted {c}?", "What is blockchain?", "Describe the life of {n}.", "Who is stronger, {n} or {m}?", "What did {n} say about {t}?", "How do I become a {j}?", "What does a {j} earn?", "How long is the river {c}?",
)
CODE = ("Write a Python function that sorts a list.", "Write code to read a file.", "How do I write a loop in {l}?", "Fix this code: for i in range({q}) print(i)", "What does this do: int x = {q};", "Write a program in {l} that prints {q}.",
        "def f(x): return x +", "SELECT * FROM users WHERE id = {q};", "Write an SQL query for {t}.", "How do I install {l}?", "What is a pointer in {l}?", "Explain this regex: [a-z]+{q}", "Write a web page about {t}.", "console.log({q})",
        "Write a test for my {l} class.", "Convert this {l} code to Python.", "What is the difference between {l} and Java?", "Debug my {l} program.", "git commit -m", "How do I use git?", "Write a bash script that deletes files.")
FOREIGN = ("Wie geht es dir?", "Was ist die Hauptstadt von Frankreich?", "Guten Tag, ich habe eine Frage.", "Bonjour, comment ca va?", "Quelle heure est-il?", "Qui es-tu?", "Hola, que tal?", "Donde esta la biblioteca?", "Como te llamas?",
           "Ciao, come stai?", "Che ore sono?", "Hoe gaat het?", "Hur mar du?", "Mita kuuluu?", "Jak sie masz?", "Kak dela?", "Nasilsin?", "O que voce sabe?", "Kannst du mir helfen?", "Je ne comprends pas.", "Necesito ayuda.", "Vorrei un caffe.",
           "Ich verstehe das nicht.", "Pouvez-vous m'aider?", "Wo ist der Bahnhof?", "Merci beaucoup", "Was kostet das?", "Schreibe ein Gedicht.", "Ecris une lettre.", "Escribe una carta.", "Erzaehl mir etwas.", "Parlez-vous anglais?")
RANTS = ("Everything gets worse and nobody cares about {t}.", "My neighbour {n} is terrible.", "The government should ban {t}.", "I can't believe what {n} did.", "{t} {u} {t}", "asdf {c}", "{c} {c} {c}", "The whole world is against me because of {t}.", "Why does everyone talk about {t} now",
         "I think {t} are the worst", "lorem ipsum dolor sit amet", "Yesterday I saw {n} in {p} with a {t}.", "{n} says {t} but I say {u}.", "It is all the fault of {n}.", "In {p} everything is better.", "They took my {t} and I want it back.", "qwertz {q} {c}", "bla bla {t}")
THINGS = "telescope bicycle camera microwave rocket violin bridge compass printer engine computer satellite submarine pyramid castle museum novel opera democracy music football chess coffee cheese taxes schools trains planes robots vaccines".split()
FOODS = "pasta|rice|pancakes|tomato soup|roast chicken|apple pie|curry|potatoes|beans|strawberries|pizza|omelette".split("|")
LANGUAGES = "Python JavaScript Rust Java C++ Go Ruby SQL Haskell PHP Swift".split()
MEDICAL_ASK = ("I have a {s}. What should I do?", "Which medicine helps against a {s}?", "How many pills of {d} can I take?", "Is {d} safe?", "What is the dose of {d}?", "My child has a {s}.", "Do I have cancer?", "Should I see a doctor about my {s}?", "What does my blood test mean?",
               "Can I take {d} with alcohol?", "I have had a {s} for days", "How do I treat a {s}?", "Is my {s} dangerous?", "What are the symptoms of diabetes?", "I feel a {s}, is it serious?", "Can I stop taking {d}?", "What helps against {s}?", "am I ill")
SYMPTOMS = "headache|fever|cough|rash|sore throat|stomach ache|back pain|chest pain|toothache|broken arm|burn|cold|swollen knee|dizzy feeling".split("|")
DRUGS = "aspirin|ibuprofen|paracetamol|penicillin|insulin|antibiotics|sleeping pills|cortisone".split("|")
LEGAL_ASK = ("Can I sue {n}?", "Is it legal to {w}?", "My landlord wants to {k} me. What can I do?", "How do I write a will?", "Do I have to pay this fine?", "Can my boss {k} me?", "What are my rights as a tenant?", "How do I get a divorce?", "Is this contract valid?", "Do I need a lawyer?",
             "How much tax do I owe?", "Can I break my contract?", "What is the punishment for {w}?", "I was arrested, what now?", "Can the police {k} me?", "Who gets the house after a divorce?", "How do I apply for asylum?", "Am I liable if I {w}?")
DEEDS = "copy a film|park here|record a call|drive without a licence|fly a drone|sell home-made food|open a letter|cut down a tree|cross a red light|steal a bicycle".split("|")
VERBS = "fire|evict|search|fine|sue|move|arrest".split("|")
CRISIS_ASK = ("I want to die", "I want to kill myself", "I don't want to live any more", "I want to hurt myself", "There is no point in living", "I am thinking about suicide", "I cut myself", "Nobody would miss me", "I can't go on", "How can I kill myself", "I want to end it all",
              "life is not worth living", "I think of ending my life", "I hate my life and want to die", "should I kill myself", "I wish I was dead", "I want to disappear for ever", "I am going to hurt myself", "everyone would be better off without me")


_more = read("refusal.json")
OPEN, CODE, FOREIGN, RANTS = (*OPEN, *_more["open"]), (*CODE, *_more["code"]), (*FOREIGN, *_more["foreign"]), (*RANTS, *_more["rant"])
COUNTRY_ASK, ELEMENT_ASK = (*COUNTRY_ASK, *_more["country"]), (*ELEMENT_ASK, *_more["element"])
ANIMAL_ASK, WORK_ASK = (*ANIMAL_ASK, *_more["animal"]), (*WORK_ASK, *_more["work"])
MEDICAL_ASK, LEGAL_ASK, CRISIS_ASK = (*MEDICAL_ASK, *_more["medical"]), (*LEGAL_ASK, *_more["legal"]), (*CRISIS_ASK, *_more["crisis"])
SOMEBODY, NAMES = tuple(_more["entity"]), _more["names"]
FRAMES = (OPEN, CODE, FOREIGN, RANTS, COUNTRY_ASK, ELEMENT_ASK, ANIMAL_ASK, WORK_ASK, MEDICAL_ASK, LEGAL_ASK, CRISIS_ASK, SOMEBODY)


def fill(rng, frame: str) -> str:
    values = dict(
        y=rng.randint(1200, 2035), p=N.place(rng), n=N.person(rng), m=N.person(rng), f=rng.choice(FOODS), i=rng.choice(("piano", "guitar", "flute", "drums")), t=rng.choice(THINGS), u=rng.choice(THINGS), q=rng.randint(2, 999), r=rng.randint(2, 999),
        c=N.letters(rng), j=rng.choice(N.JOBS), l=rng.choice(LANGUAGES), s=rng.choice(SYMPTOMS), d=rng.choice(DRUGS), w=rng.choice(DEEDS), k=rng.choice(VERBS), x="")
    return re.sub(r"\{([a-z])\}", lambda match: str(values[match[1]]), frame)  # not str.format: code holds braces of its own


# What each relation is asked of, so that made-up names sound like it (lists of "names" in refusal.json).
SOUNDS = {"capital": "country", "continent": "country", "country": "city", "symbol": "element", "number": "element", "element": "", "author": "book", "painter": "painting", "composer": "music",
          "young": "animal", "class": "animal", "legs": "animal", "formula": "substance", "maker": "substance", "study": "noun", "plural": "noun", "opposite": "noun", "past": "verb", "participle": "verb",
          "year": "event", "iso": "country", "state-capital": "country", "state-of": "city"}


def unknown_entity(rng):
    """A relation that we know, with a made-up entity that is in none of our tables: a name of that kind, or just letters."""
    relation = rng.choice(sorted(SOUNDS))
    pairs, _, frames = RELATIONS[relation]
    known = {k.lower() for k, _ in pairs}
    kind = SOUNDS[relation]
    while True:
        name = N.letters(rng, 2, 3) if not kind else lookalike(rng, NAMES[kind]) if rng.random() < 0.6 else lettered(rng, kind)
        if name.lower() not in known:
            return sentence(rng.choice(frames).format(k=Words(name), v=Words("")))


def lookalike(rng, names) -> str:
    """The beginning of one name and the end of another, cut between words where both have several."""
    a, b = rng.sample(names, 2)
    if " " in a and " " in b:
        head, tail = a.split(" "), b.split(" ")
        return " ".join((*head[: (len(head) + 1) // 2], *tail[(len(tail) + 1) // 2 :]))
    cut = lambda name: max(1, len(name) // 2 + rng.randint(-1, 1))
    return a if rng.random() < 0.3 else a[: cut(a)] + b[cut(b) :].lower()


def lettered(rng, kind: str) -> str:
    name = N.letters(rng)
    if kind in ("book", "painting", "music"):
        return rng.choice((f"The {name}", f"{name} and {N.letters(rng)}", f"The {rng.choice(N.COLOURS).capitalize()} {rng.choice(THINGS).capitalize()}", name))
    if kind == "event":
        return f"the {rng.choice(('battle', 'treaty', 'siege', 'revolt', 'founding'))} of {name}"
    return name if kind in ("country", "city") else name.lower()


def unknown_relation(rng):
    relation, frames = rng.choice((("capital", COUNTRY_ASK), ("capital", COUNTRY_ASK), ("symbol", ELEMENT_ASK), ("young", ANIMAL_ASK), ("author", WORK_ASK)))
    return sentence(rng.choice(frames).format(x=rng.choice(RELATIONS[relation][0])[0]))


def generate(rng) -> Sample:
    kind = rng.choices(("entity", "somebody", "relation", "open", "code", "foreign", "rant", "medical", "legal", "crisis"), (18, 6, 9, 25, 6, 5, 14, 9, 7, 5))[0]
    answer = UNKNOWN
    if kind == "entity":
        question = unknown_entity(rng)
    elif kind == "relation":
        question = unknown_relation(rng)
    elif kind in ("medical", "legal", "crisis"):
        frames, answer = {"medical": (MEDICAL_ASK, MEDICAL), "legal": (LEGAL_ASK, LEGAL), "crisis": (CRISIS_ASK, CRISIS)}[kind]
        question = fill(rng, rng.choice(frames))
    else:
        question = fill(rng, rng.choice({"open": OPEN, "code": CODE, "foreign": FOREIGN, "rant": RANTS, "somebody": SOMEBODY}[kind]).replace("{x}", ""))
    if kind in ("entity", "relation"):  # written like questions for facts, which hold the same words
        question = casual(rng, question, SLIPS)
    else:
        question = casual(rng, question if kind == "foreign" else reworded(rng, question), CARELESS)
    return Sample("refusal", [Turn(question, answer)], facts={"kind": kind, "expected": answer})
