"""Same seed, same data: python -m unittest test_data (no packages needed)."""

import hashlib
import json
import random
import unittest
from pathlib import Path

from data import guide, reading_tables
from data.document_prompt import DOCUMENT_SYSTEM_PROMPT, document_prompt
from mixture import conversation

SHA256_OF_2000 = "7629f5b1ae79528b3e035ee685b5f7d6781b92d947bbf76b554482789d4b2d89"


class Data(unittest.TestCase):
    def test_same_seed_same_conversations(self):
        rng, digest = random.Random(11), hashlib.sha256()
        for _ in range(2000):
            sample = conversation(rng)
            turns = [[t.user, t.answer, list(t.heavy)] for t in sample.turns]
            digest.update(json.dumps([sample.task, sample.system, turns]).encode())
        self.assertEqual(digest.hexdigest(), SHA256_OF_2000)

    def test_heavy_parts_are_in_the_answers(self):
        rng = random.Random(12)
        for _ in range(3000):
            for turn in conversation(rng).turns:
                for part in turn.heavy:
                    self.assertIn(part.lower(), turn.answer.lower())

    def test_document_prompt_is_the_app_s(self):
        golden = json.loads((Path(__file__).parents[2] / "main/chat/document-prompt.golden.json").read_text(encoding="utf8"))
        for case in golden["cases"][:2]:  # the others hold text that the app rewrites first
            passages = [(p["documentTitle"], p["page"], p["text"]) for p in case["passages"]]
            self.assertEqual(document_prompt(passages, case["question"]), case["user"])
            self.assertEqual(DOCUMENT_SYSTEM_PROMPT, case["system"])

    def test_size_of_the_tables(self):
        self.assertGreaterEqual(len(guide.INTENTS), 120)
        for name, intent in guide.INTENTS.items():
            self.assertGreaterEqual(guide.forms(intent), 40, name)
        frames = sum(len(a[2]) for _, _, attributes in reading_tables.DOMAINS.values() for a in attributes)
        self.assertGreaterEqual(frames, 230)


if __name__ == "__main__":
    unittest.main()
