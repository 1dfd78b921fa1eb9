"""The guide to the app: intents from guide.txt, phrased through frames, and whole messages from phrasings/guide-*.txt."""

from pathlib import Path

from .sample import CARELESS, Sample, Turn, casual
from .wording import reworded

HOW = ("How do I {x}?", "How can I {x}?", "How to {x}?", "I want to {x}.", "Can I {x}?", "Where can I {x}?", "What do I do to {x}?", "Is it possible to {x}?",
       "Help me {x}.", "Show me how to {x}.", "I would like to {x}.", "How does one {x}?", "What is the way to {x}?", "Explain how to {x}.", "Tell me how I can {x}.", "{x}")
WHAT = ("What is {x}?", "What's {x}?", "What does {x} mean?", "Explain {x}.", "Tell me about {x}.", "{x}?", "Define {x}.", "I don't understand {x}.", "Can you explain {x}?",
        "What do you mean by {x}?", "What is meant by {x}?", "Describe {x}.", "what are {x}", "Please explain {x} to me.")
ASK = ("{x}?", "{x}", "{x}?", "Tell me: {x}?", "I wonder: {x}?", "One question: {x}?", "Please tell me, {x}?", "I'd like to know: {x}?", "Just asking: {x}?", "Sorry, {x}?", "{x} in this app?",
       "My question: {x}?")
FRAMES = {"how": HOW, "what": WHAT, "ask": ASK, "say": ("{x}",)}


HERE = Path(__file__).parent


def load():
    intents = {}
    for path in (HERE / "guide.txt", *sorted((HERE / "phrasings").glob("guide-*.txt"))):
        for line in path.read_text(encoding="utf8").splitlines():
            if not line or line.startswith("#"):
                continue
            if line.startswith("= "):
                current = intents.setdefault(line[2:], {"how": [], "what": [], "ask": [], "say": []})
                continue
            kind, text = line.split(": ", 1)
            if kind == "A":
                current["answer"] = text
            else:
                current[kind] += [part.strip() for part in text.split(" | ")]
    return intents


INTENTS = load()


def forms(intent) -> int:
    return sum(len(intent[kind]) * len(frames) for kind, frames in FRAMES.items())


def question(rng, intent) -> str:
    kinds = [k for k in FRAMES if intent[k]]
    kind = rng.choices(kinds, [len(intent[k]) for k in kinds])[0]
    text = rng.choice(FRAMES[kind]).replace("{x}", rng.choice(intent[kind]))
    return text if kind == "say" else text[0].upper() + text[1:]


def generate(rng) -> Sample:
    name = rng.choice(sorted(INTENTS))
    intent = INTENTS[name]
    return Sample("guide", [Turn(casual(rng, reworded(rng, question(rng, intent)), CARELESS), intent["answer"])], facts={"kind": name, "expected": intent["answer"]})
