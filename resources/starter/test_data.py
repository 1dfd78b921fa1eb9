"""Same seed, same data: python -m unittest test_data (no packages needed)."""

import hashlib
import json
import random
import unittest
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fixed_answers
import seen
from conversation import CONTROL, HEAVY, NORMAL, encode, encode_sharing, told_apart
from data import facts, guide, reading, reading_asides, reading_domains, reading_stories, reading_values
from data.document_prompt import DOCUMENT_SYSTEM_PROMPT, document_prompt
from data.sample import Sample, Turn
from data.wording import reworded
from mixture import FIXED_ANSWERS, conversation

SHA256_OF_2000 = "9dea875f5416aa79cca9a25c2f4d382b4b9f3dbc15ed789709a9e71331913313"


class Letters:
    """A tokenizer of letters."""

    def token_to_id(self, name):
        return CONTROL.index(name)

    def encode(self, text):
        return SimpleNamespace(ids=[len(CONTROL) + ord(c) for c in text], offsets=[(i, i + 1) for i in range(len(text))])


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

    def test_a_branch_and_what_it_shares_are_the_conversation(self):
        rng, n_branches = random.Random(13), 0
        for _ in range(200):
            sample = reading.generate(rng)
            ids, weights, branches = encode_sharing(Letters(), sample)
            for number, last in enumerate(sample.endings, 1):
                mine = [i for i, branch in enumerate(branches) if branch in (0, number)]
                alone = encode(Letters(), replace(sample, turns=[last]))
                self.assertEqual(([ids[i] for i in mine], [weights[i] for i in mine]), alone)
                n_branches += 1
            self.assertEqual(branches, sorted(branches))
        self.assertGreater(n_branches, 600)

    def test_finding_nothing_weighs_as_much_as_a_value(self):
        def weights(answer, heavy):
            return [w for w in encode(Letters(), Sample("reading", [Turn("q", answer, (heavy,))]))[1] if w]

        after = len(reading.ABSENT) - 4 + 1  # the end token is one
        self.assertEqual(weights(reading.ABSENT, "That"), [HEAVY] * 4 + [NORMAL] * after)
        self.assertEqual(weights(" Rust [1].", " Rust"), [HEAVY] * 5 + [NORMAL] * 6)

    def test_a_fixed_answer_may_be_cut_where_it_is_like_no_other(self):
        self.assertGreaterEqual(len(FIXED_ANSWERS), 124)
        lengths = told_apart(Letters(), FIXED_ANSWERS)
        self.assertEqual(len({answer[:n] for answer, n in lengths.items()}), len(set(FIXED_ANSWERS)))
        for answer, n in lengths.items():
            self.assertGreater(sum(other.startswith(answer[: n - 1]) for other in lengths), 1, answer)
        sample = Sample("guide", [Turn("q", "first"), Turn("r", FIXED_ANSWERS[0])])
        whole, cut = encode(Letters(), sample), encode(Letters(), sample, 5)
        after = len(FIXED_ANSWERS[0]) + 1 - 5
        self.assertEqual(cut, tuple(part[:-after] for part in whole))
        self.assertGreater(cut[1][-1], 0)

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
        attributes = [a for _, _, rows in reading_domains.DOMAINS.values() for a in rows]
        self.assertGreaterEqual(sum(len(statements) for _, _, statements, _ in attributes), 11000)
        for key, make, statements, questions in attributes:
            make(random.Random(1))
            for text in statements:
                self.assertEqual((text.count("{e}"), text.count("{v}")), (1, 1), (key, text))
            for text in questions:
                self.assertEqual((text.count("{e}"), text.count("{v}")), (1, 0), (key, text))

    def test_stories_hold_their_answers(self):
        self.assertGreaterEqual(len(reading_stories.STORIES), 100)
        rng = random.Random(14)
        for story in reading_stories.STORIES:
            self.assertGreaterEqual((len(story.asked), len(story.unanswered)), (4, 2), story.title)
            for question, answer in story.asked:
                self.assertIn(answer, f"{story.title}\n{story.text}", story.title)
                self.assertNotIn(answer, question, story.title)
            told = reading_stories.told(rng, story)
            self.assertFalse([t for t in (told.title, told.text, *sum(told.asked, ()), *told.unanswered) if "{" in t], story.title)
            for _, answer in told.asked:
                self.assertIn(answer, f"{told.title}\n{told.text}")

    def test_names_that_resemble_others_differ_from_them(self):
        rng = random.Random(15)
        for kind in sorted(reading_values.NAMES):
            for _ in range(300):
                name = reading_values.NAMES[kind](rng)
                entities = [name]
                another = reading.another(rng, reading_values.NAMES[kind], entities)
                self.assertFalse(name in another or another in name, (name, another))

    def test_one_answer_for_a_question_of_facts(self):
        self.assertGreaterEqual(sum(len(pairs) for pairs, _, _ in facts.RELATIONS.values()), 2000)
        answers = {}
        for name, (pairs, answer, frames) in facts.RELATIONS.items():
            self.assertGreaterEqual(len(frames), 45, name)
            for k, v in pairs:
                k, v = facts.Words(k), facts.Words(v)
                for frame in frames:
                    question = frame.format(k=k, v=v).lower()
                    self.assertEqual(answers.setdefault(question, answer.format(k=k, v=v)), answer.format(k=k, v=v), question)

    def test_one_answer_for_a_message(self):
        intents = {}
        for name, intent in guide.INTENTS.items():
            for text in intent["say"]:
                self.assertEqual(intents.setdefault(text.lower(), name), name, text)

    def test_a_message_in_other_words_is_not_that_of_another_intent(self):
        intents = {text.lower(): name for name, intent in guide.INTENTS.items() for text in intent["say"]}
        rng, changed = random.Random(16), 0
        for text, name in intents.items():
            other = reworded(rng, text)
            changed += other != text
            self.assertEqual(intents.get(other.lower(), name), name, (text, other))
        self.assertGreater(changed, len(intents) // 5)

    def test_a_pronoun_stands_for_the_entity_named_last(self):
        rng = random.Random(17)
        told = ["Old Mill has 3 doors.", "Old Mill was sold in 1920.", "The owner of Old Mill is Ann."]
        self.assertEqual(reading.referred(rng, "building", "Old Mill", told), [told[0], "It was sold in 1920.", told[2]])
        self.assertIn(reading.referred(rng, "person", "Ann Ott", ["Ann Ott sings.", "Ann Ott swims."])[1], ("He swims.", "She swims."))
        hidden = ["3 doors were counted.", "Old Mill was sold in 1920."]  # no name before it
        self.assertEqual(reading.referred(rng, "building", "Old Mill", hidden), hidden)

    def test_composed_domains_have_many_attributes_close_to_each_other(self):
        domains = [{key for key, *_ in rows} for _, _, rows in reading_domains.COMPOSED.values()]
        self.assertGreaterEqual(len(set().union(*domains)), 500)
        for keys in domains:
            self.assertGreaterEqual(len(keys), 7)
            verbs = [key.rsplit(" ", 1)[0] for key in keys if key.endswith((" who", " where", " year", " date", " price"))]
            self.assertGreater(len(verbs), len(set(verbs)), keys)

    def test_invented_domains_ask_for_words_that_their_statements_hold(self):
        of_role = {"who", "what", "where", "when", "with what", "how long"}
        for name, (_, _, rows) in reading_domains.INVENTED.items():
            self.assertGreaterEqual(len(rows), 6, name)
            for key, _, statements, questions in rows:
                stem, _, role = key.partition(" ")
                word = stem if role in of_role else key
                for text in (*statements, *questions):
                    self.assertIn(word, text.lower(), (name, key))

    def test_domains_of_many_attributes_keep_them_apart(self):
        self.assertGreaterEqual(len(reading_domains.CARDS), 35)
        rng = random.Random(18)
        for name, (_, make_entity, rows) in reading_domains.CARDS.items():
            self.assertGreaterEqual(len(rows), 7, name)
            self.assertEqual(len({key for key, *_ in rows}), len(rows), name)
            asked = [question for *_, questions in rows for question in questions]
            self.assertEqual(len(set(asked)), len(asked), name)
            for _ in range(20):
                self.assertNotRegex(make_entity(rng), "[{}]")

    def test_asides_leave_a_statement_as_it_is(self):
        rng, changed = random.Random(19), 0
        for frame in ("The roof of {e} is {v}.", "{v} {e} has.", "I saw {e} in {v}.", "Colour of {e}: {v}.", "Why {e}? It is {v}!"):
            for _ in range(100):
                text = reading_asides.aside(rng, frame)
                changed += text != frame
                self.assertIn(frame[1:-1], text)
                self.assertEqual((text.count("{e}"), text.count("{v}")), (1, 1))
        self.assertEqual(changed, 300)  # a line of a list and what is no sentence stay whole

    def test_what_the_evaluation_knows_of_the_training_data_is_up_to_date(self):
        for name, text in fixed_answers.contents().items():
            self.assertEqual((fixed_answers.FOLDER / name).read_text(encoding="utf8"), text, f"{name}: run python fixed_answers.py")
        for folder in seen.FOLDERS:
            self.assertEqual((folder / "seen.json").read_text(encoding="utf8"), seen.contents(folder), f"{folder.name}: run python seen.py")


if __name__ == "__main__":
    unittest.main()
