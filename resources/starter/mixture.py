"""Draws conversations: one task each, or two to three turns of different tasks in a row, sometimes under a system prompt."""

import random

from data import arithmetic, facts, guide, reading, refusal, smalltalk
from data.document_prompt import DOCUMENT_SYSTEM_PROMPT
from data.sample import Sample

GENERATORS = {"guide": guide.generate, "smalltalk": smalltalk.generate, "refusal": refusal.generate, "reading": reading.generate, "arithmetic": arithmetic.generate, "facts": facts.generate}
SHARES = {"guide": 28, "smalltalk": 4, "refusal": 18, "reading": 18, "arithmetic": 16, "facts": 16}  # of conversations; build.py may be given others
FIXED_ANSWERS = (*(intent["answer"] for intent in guide.INTENTS.values()), *refusal.FIXED.values())
SYSTEM_PROMPTS = (
    "You are a helpful assistant.", "Answer briefly.", "Be polite and short.", "You are the assistant of Conclave.", "Answer in one sentence.", "You help with questions about documents.",
    "Answer only from the numbered passages.", "Be friendly.", "You are an expert.", "Use simple words.", "Please be exact.", "You talk like a teacher.",
)


def conversation(rng: random.Random) -> Sample:
    task = rng.choices(list(SHARES), list(SHARES.values()))[0]
    sample = GENERATORS[task](rng)
    if rng.random() < 0.22:
        for _ in range(rng.choice((1, 1, 2))):
            other = rng.choices(list(SHARES), [s if t != "reading" else s / 4 for t, s in SHARES.items()])[0]
            before = GENERATORS[other](rng)
            sample.turns = before.turns + sample.turns
    if sample.task == "reading" and rng.random() < 0.85:
        sample.system = DOCUMENT_SYSTEM_PROMPT
    elif rng.random() < 0.15:
        sample.system = rng.choice(SYSTEM_PROMPTS)
    return sample
