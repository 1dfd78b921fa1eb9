"""What the evaluation must know of the training data and nothing more: the fixed answers and the pairs of numbers held out.

    python fixed_answers.py           writes heldout/answers.json and heldout/pairs.txt
    python fixed_answers.py --check   exits 1 where they differ from the generators
"""

import json
import sys
from pathlib import Path

from data import arithmetic, facts, guide, refusal

FOLDER = Path(__file__).parent / "heldout"


def contents() -> dict[str, str]:
    answers = {
        "safe": {name: getattr(refusal, name) for name in ("UNKNOWN", "MEDICAL", "LEGAL", "CRISIS")},
        "guide": {name: intent["answer"] for name, intent in guide.INTENTS.items()},
        "relations": {name: {"answer": answer} for name, (_, answer, _) in facts.RELATIONS.items()},
    }
    pairs = [f"{a} {b}\n" for a in range(100) for b in range(a, 100) if arithmetic.held_out(a, b)]
    return {"answers.json": json.dumps(answers, indent=1, ensure_ascii=False) + "\n", "pairs.txt": "".join(pairs)}


if __name__ == "__main__":
    stale = [name for name, text in contents().items() if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf8") != text]
    if "--check" in sys.argv:
        sys.exit(f"stale: {', '.join(stale)}: run python fixed_answers.py" if stale else 0)
    for name in stale:
        (FOLDER / name).write_text(contents()[name], encoding="utf8", newline="\n")
        print(f"wrote {name}")
