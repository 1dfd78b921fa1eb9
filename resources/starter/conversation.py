"""The starter's chat format and its tokens: the one place that the builder, the export and the evaluation share."""

SYSTEM, USER, ASSISTANT, END, PAD = "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
CONTROL = (PAD, SYSTEM, USER, ASSISTANT, END)
CITATIONS = tuple(f"[{n}]" for n in range(1, 7))
# Jinja, as written into the GGUF.
TEMPLATE = "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
TASKS = ("guide", "smalltalk", "refusal", "reading", "arithmetic", "facts")
HEAVY, NORMAL = 3, 1


def encode(tokenizer, sample):
    """Returns (ids, weights): weights are 0 outside answers, NORMAL in them, HEAVY on the parts that must be exact. The end token is learned."""
    control = {c: tokenizer.token_to_id(c) for c in CONTROL}
    ids, weights = [], []

    def add(new, weight):
        ids.extend(new)
        weights.extend([weight] * len(new) if isinstance(weight, int) else weight)

    if sample.system:
        add([control[SYSTEM], *tokenizer.encode(sample.system).ids, control[END]], 0)
    for turn in sample.turns:
        add([control[USER], *tokenizer.encode(turn.user).ids, control[END], control[ASSISTANT]], 0)
        answer = tokenizer.encode(turn.answer)
        marks = [NORMAL] * len(answer.ids)
        for part in turn.heavy:
            start = turn.answer.rfind(part)
            for i, (a, b) in enumerate(answer.offsets):
                if start >= 0 and a < start + len(part) and b > start:
                    marks[i] = HEAVY
        add(answer.ids, marks)
        add([control[END]], NORMAL)
    return ids, weights
