"""What the evaluation must know of the training data and nothing more: the fixed answers and the pairs of numbers held out.

    python fixed_answers.py   writes heldout/answers.json and heldout/pairs.txt; test_data.py says when they are stale
"""

import json
from pathlib import Path

from data import arithmetic, facts, guide, refusal

FOLDER = Path(__file__).parent / "heldout"


def contents() -> dict[str, str]:
    answers = {
        "safe": refusal.FIXED,
        "guide": {name: intent["answer"] for name, intent in guide.INTENTS.items()},
        "relations": {name: {"answer": answer} for name, (_, answer, _) in facts.RELATIONS.items()},
    }
    pairs = [f"{a} {b}\n" for a in range(100) for b in range(a, 100) if arithmetic.held_out(a, b)]
    return {"answers.json": json.dumps(answers, indent=1, ensure_ascii=False) + "\n", "pairs.txt": "".join(pairs)}


if __name__ == "__main__":
    for name, text in contents().items():
        (FOLDER / name).write_text(text, encoding="utf8", newline="\n")
