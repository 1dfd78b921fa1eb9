"""The app's document prompt (main/chat/document-prompt.ts), mirrored; tests compare both with the same golden strings."""

ABSENT = "That is not in your documents."
DOCUMENT_SYSTEM_PROMPT = f"Answer only from the numbered passages and cite them like [1]. If they do not hold the answer, say: {ABSENT}"


def document_prompt(passages, question: str) -> str:
    """passages: (title, page or None, text). Returns the user's message."""
    lines = []
    for number, (title, page, text) in enumerate(passages, 1):
        place = f"{title}, p. {page}" if page is not None else title
        lines.append(f"[{number}] {place}\n{text}")
    return "\n\n".join(lines) + f"\n\nQuestion: {question}"
