/** What is written is read back; what is damaged is refused with its line, whatever the pieces it comes in. */
import { describe, expect, test } from 'vitest';
import { TraceParser, TraceWriter, type TraceToken } from './trace-format.ts';
import type { TraceShape } from './trace.ts';

const SHAPE: TraceShape = { model: 'Modell "é"\n', layers: [1, 3], nExperts: 8, nUsed: 2 };
const TOKENS: readonly TraceToken[] = [
  {
    position: 0,
    isPrompt: true,
    experts: [
      [7, 0],
      [1, 2],
    ],
  },
  {
    position: 1,
    isPrompt: false,
    experts: [
      [0, 7],
      [5, 4],
    ],
  },
  {
    position: 0,
    isPrompt: true,
    experts: [
      [3, 2],
      [6, 7],
    ],
  },
];

async function written(shape = SHAPE, tokens = TOKENS): Promise<string> {
  let text = '';
  const writer = await TraceWriter.begin({ write: async (piece) => void (text += piece) }, shape);
  for (const token of tokens) await writer.token(token);
  await writer.end();
  return text;
}

function parse(text: string, pieceChars = text.length || 1) {
  const parser = new TraceParser('a b.jsonl');
  for (let at = 0; at < text.length; at += pieceChars) parser.push(text.slice(at, at + pieceChars));
  return parser.end();
}

test('a trace is read back as it was written, in pieces of any size, with or without the last line break', async () => {
  const text = await written();
  const trace = parse(text);
  expect(trace).toEqual({
    ...SHAPE,
    nTokens: 3,
    experts: Uint16Array.from(TOKENS.flatMap((token) => token.experts.flat())),
    isPrompt: Uint8Array.from([1, 0, 1]),
    positions: Uint32Array.from([0, 1, 0]),
  });
  for (const pieceChars of [1, 7, 100]) expect(parse(text, pieceChars)).toEqual(trace);
  expect(parse(text.trimEnd())).toEqual(trace);
});

describe('refused, with the line', async () => {
  const [head, first, second, third, end] = (await written()).trimEnd().split('\n');
  const edit = (line: string, change: (value: Record<string, unknown>) => void) => {
    const value = JSON.parse(line) as Record<string, unknown>;
    change(value);
    return JSON.stringify(value);
  };
  const heads = (change: (value: Record<string, unknown>) => void) => [edit(head, change), first, second, third, end];
  const tokens = (change: (value: Record<string, unknown>) => void) => [head, edit(first, change), second, third, end];
  const cases: readonly [string, readonly string[], number, RegExp][] = [
    ['nothing', [], 0, /the file is empty/],
    ['another file', ['GGUF\u0003'], 1, /not JSON/],
    ['JSON that is no object', ['[1]'], 1, /not a JSON object/],
    ['another format', ['{"format":"x"}'], 1, /not a routing trace/],
    ['a newer version', heads((h) => (h.version = 2)), 1, /version is 2, this program reads version 1/],
    ['no model', heads((h) => delete h.model), 1, /"model"/],
    ['no experts', heads((h) => (h.nExperts = 0)), 1, /"nExperts" is 0/],
    ['a huge expert count', heads((h) => (h.nExperts = 1e9)), 1, /from 1 to 4096/],
    ['more used than there are', heads((h) => (h.nExpertsUsed = 9)), 1, /"nExpertsUsed" is 9, but .* from 1 to 8/],
    ['half an expert', heads((h) => (h.nExpertsUsed = 1.5)), 1, /whole number/],
    ['no layers', heads((h) => (h.layers = [])), 1, /"layers"/],
    ['layers that do not rise', heads((h) => (h.layers = [3, 3])), 1, /must rise/],
    ['layers of text', heads((h) => (h.layers = ['a', 'b'])), 1, /must rise/],
    ['too many layers', heads((h) => (h.layers = Array.from({ length: 2000 }, (_, i) => i))), 1, /1 to 1024/],
    ['a negative position', tokens((t) => (t.position = -1)), 2, /"position" is -1/],
    ['an unknown phase', tokens((t) => (t.phase = 'x'.repeat(500))), 2, /"phase" is "x{39}, but/],
    ['a layer too few', tokens((t) => (t.experts = [[0, 1]])), 2, /list of 2 lists/],
    ['an expert too few', tokens((t) => (t.experts = [[0], [0, 1]])), 2, /layer 1 must have 2 experts/],
    [
      'an expert that does not exist',
      tokens(
        (t) =>
          (t.experts = [
            [0, 1],
            [0, 8],
          ]),
      ),
      2,
      /layer 3 has expert 8, but ids are 0 to 7/,
    ],
    [
      'an expert twice',
      tokens(
        (t) =>
          (t.experts = [
            [0, 1],
            [4, 4],
          ]),
      ),
      2,
      /layer 3 has an expert twice/,
    ],
    [
      'a null expert',
      tokens(
        (t) =>
          (t.experts = [
            [0, null],
            [0, 1],
          ]),
      ),
      2,
      /has expert null/,
    ],
    ['an empty line', [head, '', first, end], 2, /not JSON/],
    ['a cut recording', [head, first, second], 3, /cut after 2 tokens/],
    ['half a line', [head, first, second.slice(0, 20)], 3, /not JSON/],
    ['a wrong count', [head, first, end], 3, /says 3 tokens, but 1 came/],
    ['more after the end', [head, first, second, third, end, first], 6, /follows the last line/],
  ];
  test.each(cases)('%s', (_, lines, line, message) => {
    let error: unknown;
    try {
      parse(lines.join('\n'));
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({
      code: 'trace.damaged',
      details: { file: 'a b.jsonl', line },
      message: expect.stringMatching(message),
    });
  });

  test('a line without end, before it fills the memory', () => {
    const parser = new TraceParser('x');
    parser.push(head + '\n');
    const push = () => {
      for (let i = 0; i < 100; i++) parser.push(' '.repeat(2 ** 17));
    };
    expect(push).toThrow(/longer than/);
  });
});
