"""The starter's chat format and its tokens: the one place that the builder, the export and the evaluation share."""

from dataclasses import replace

SYSTEM, USER, ASSISTANT, END, PAD = "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
CONTROL = (PAD, SYSTEM, USER, ASSISTANT, END)
CITATIONS = tuple(f"[{n}]" for n in range(1, 7))
# Jinja, as written into the GGUF.
TEMPLATE = "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
TASKS = ("guide", "smalltalk", "refusal", "reading", "arithmetic", "facts")
HEAVY, NORMAL = 3, 1


def encode(tokenizer, sample, cut=0):
    """Returns (ids, weights): weights are 0 outside answers, NORMAL in them, HEAVY on the parts that must be exact. The end token is learned.
    With `cut` only so many tokens of the last answer, and no end."""
    control = {c: tokenizer.token_to_id(c) for c in CONTROL}
    ids, weights = [], []

    def add(new, weight):
        ids.extend(new)
        weights.extend([weight] * len(new) if isinstance(weight, int) else weight)

    if sample.system:
        add([control[SYSTEM], *tokenizer.encode(sample.system).ids, control[END]], 0)
    for number, turn in enumerate(sample.turns, 1):
        add([control[USER], *tokenizer.encode(turn.user).ids, control[END], control[ASSISTANT]], 0)
        answer = tokenizer.encode(turn.answer)
        marks = [NORMAL] * len(answer.ids)
        for part in turn.heavy:
            start = turn.answer.rfind(part)
            for i, (a, b) in enumerate(answer.offsets):
                if start >= 0 and a < start + len(part) and b > start:
                    marks[i] = HEAVY
        if cut and number == len(sample.turns):
            add(answer.ids[:cut], marks[:cut])
        else:
            add([*answer.ids, control[END]], [*marks, NORMAL])
    return ids, weights


def told_apart(tokenizer, answers):
    """How many tokens of each answer it takes until no other of them goes on the same: {answer: tokens}. What follows is known by heart."""
    ids = {answer: tokenizer.encode(answer).ids for answer in answers}

    def alone(mine, n):
        return sum(other[:n] == mine[:n] for other in ids.values()) == 1

    return {answer: next((n for n in range(1, len(mine)) if alone(mine, n)), len(mine)) for answer, mine in ids.items()}


def encode_sharing(tokenizer, sample, cut=0):
    """Returns (ids, weights, branches): what the last turn and those in its place have in common once (branch 0), then the rest of each
    (branches 1, 2, …). A token sees branch 0 and its own branch only, and counts its position as if the others were not there. `cut` as in encode."""
    paths = [encode(tokenizer, replace(sample, turns=[*sample.turns[:-1], last]), cut) for last in sample.endings]
    shared = min(len(ids) for ids, _ in paths)
    for ids, _ in paths[1:]:
        shared = next((i for i in range(shared) if ids[i] != paths[0][0][i]), shared)
    ids, weights = list(paths[0][0][:shared]), list(paths[0][1][:shared])
    branches = [0] * shared
    for number, (path, weight) in enumerate(paths, 1):
        ids += path[shared:]
        weights += weight[shared:]
        branches += [number] * (len(path) - shared)
    return ids, weights, branches
