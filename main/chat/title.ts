/** A conversation's title, made from its first question. */
const MAX_TITLE_CHARS = 60;

/** One line of at most 60 characters, cut between words where possible; never empty. */
export function titleFrom(question: string): string {
  const line = question.replaceAll(/\s+/gu, ' ').trim();
  const characters = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(line.slice(0, 20 * MAX_TITLE_CHARS))];
  if (characters.length <= MAX_TITLE_CHARS) return line === '' ? 'New conversation' : line;
  const cut = characters
    .slice(0, MAX_TITLE_CHARS - 1)
    .map(({ segment }) => segment)
    .join('');
  const lastSpace = cut.lastIndexOf(' ');
  return `${(lastSpace > MAX_TITLE_CHARS / 2 ? cut.slice(0, lastSpace) : cut).trimEnd()}…`;
}
