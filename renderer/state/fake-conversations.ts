/** What people and models have written to one another, for the scripted client. Development and tests only. */
import type { WireError } from '../../main/contract/errors.ts';
import type { Conversation, Message } from '../../main/contract/types.ts';
import { groundedAnswer } from './fake-documents-data.ts';
import { QWEN } from './fake-models.ts';
import { SERVERS } from './fake-remote.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const MARKDOWN_ANSWER = `A mixture-of-experts layer keeps **many feed-forward networks** and lets a small *router* choose a few of them for every token. The rest stay idle, so a model can hold far more knowledge than it pays for per token.

## How one token travels

1. The router scores every expert for the token.
2. The best *k* are kept and their scores are turned into weights.
3. Each chosen expert computes its answer; the answers are added, weighted.

\`\`\`ts
/** The k best experts of one token, with weights that sum to 1. */
export function route(scores: readonly number[], k: number): Choice[] {
  const best = scores
    .map((score, expert) => ({ expert, score }))
    .sort((a, b) => b.score - a.score || a.expert - b.expert)
    .slice(0, k);
  const total = best.reduce((sum, { score }) => sum + Math.exp(score), 0);
  return best.map(({ expert, score }) => ({ expert, weight: Math.exp(score) / total }));
}
\`\`\`

| Model | Experts | Used | Parameters | Active |
| --- | ---: | ---: | ---: | ---: |
| Mixtral 8×7B | 8 | 2 | 46.7 B | 12.9 B |
| OLMoE 1B-7B | 64 | 8 | 6.9 B | 1.3 B |
| Qwen3 30B-A3B | 128 | 8 | 30.5 B | 3.3 B |

> The weights of idle experts need not be in fast memory at all, which is what makes large models possible on small machines.

See [the original paper](https://arxiv.org/abs/1701.06538) for the sparsely gated layer. Inline code looks like \`topK(scores, 8)\`, and a formula stays as text: \\(y = \\sum_{i \\in T} g_i(x) E_i(x)\\).
`;

const HOSTILE = `Markup from a model is shown, never run:

<script>window.pwned = 'script'</script>

<img src=x onerror="window.pwned = 'onerror'">

[a link](javascript:window.pwned='link') and [another](data:text/html,<script>window.pwned='data'</script>)

<svg onload="window.pwned='svg'"><a xlink:href="javascript:window.pwned='xlink'">x</a></svg>

<iframe srcdoc="<script>parent.pwned='frame'</script>"></iframe> <a href="https://example.org" onclick="window.pwned='click'">raw</a>

<b style="position:fixed;inset:0">bold</b> <kbd>Ctrl</kbd> ![a remote picture](https://example.org/tracker.png)

\`\`\`html
<script>window.pwned = 'code'</script>
\`\`\`
`;

interface Turn {
  readonly question: string;
  readonly answer: string;
  readonly change?: Partial<Message>;
}

function conversation(id: string, title: string, updatedAtMs: number, turns: readonly Turn[]): Conversation {
  const messages: Message[] = [];
  for (const [turn, { question, answer, change }] of turns.entries()) {
    const base = {
      conversationId: id,
      createdAtMs: updatedAtMs,
      remoteHost: null,
      stats: null,
      error: null,
      sources: [],
      evidence: null,
    };
    const parentId = messages.at(-1)?.id ?? null;
    const questionId = `${id}-q${turn}`;
    messages.push({ ...base, id: questionId, parentId, role: 'user', content: question, status: 'complete', modelName: null });
    messages.push({
      ...base,
      id: `${id}-a${turn}`,
      parentId: questionId,
      role: 'assistant',
      content: answer,
      status: 'complete',
      modelName: QWEN.name,
      stats: {
        promptTokens: 412,
        answerTokens: 386,
        prefillMs: 640,
        decodeMs: 9_120,
        contextUsedTokens: 798 + turn * 700,
        contextTokens: 8192,
        droppedTurns: 0,
      },
      ...change,
    });
  }
  return { id, title, createdAtMs: updatedAtMs, updatedAtMs, messages, leafId: messages.at(-1)?.id ?? null, collectionId: null };
}

export function everyday(nowMs: number): Conversation[] {
  const first = conversation('c-moe', 'How mixture-of-experts models work', nowMs - 4 * MINUTE_MS, [
    { question: 'How does a mixture-of-experts model decide which experts to use?', answer: MARKDOWN_ANSWER },
  ]);
  const titles: [string, number][] = [
    ['Packing list for four rainy days in Bergen', 50 * MINUTE_MS],
    ['Untangling a recursive SQL query', DAY_MS],
    ['What to ask the landlord before signing', DAY_MS + MINUTE_MS],
    ['Sourdough that does not collapse', 3 * DAY_MS],
    ['A very long title that nobody would type by hand, but which a model might well suggest one day', 4 * DAY_MS],
    ['Names for a small grey cat', 12 * DAY_MS],
    ['Reading plan: the history of cryptography', 47 * DAY_MS],
  ];
  return [
    first,
    ...titles.map(([title, agoMs], index) =>
      conversation(`c-${index}`, title, nowMs - agoMs, [{ question: title, answer: 'A short answer to a short question.' }]),
    ),
    conversation('c-hostile', 'Markup that wants to run', nowMs - 60 * DAY_MS, [
      { question: 'Show me some HTML.', answer: HOSTILE },
    ]),
  ];
}

export function farAway(nowMs: number): Conversation[] {
  const server = SERVERS[0];
  const change = { modelName: server.models[0].name, remoteHost: server.host };
  const held: WireError = {
    code: 'remote.consent',
    message: `The answer to this question needs text of your documents, which would be sent to ${server.host}. Nothing was sent yet: look at it first.`,
    details: { answerId: 'c-remote-a2', host: server.host, passages: 2 },
  };
  return [
    conversation('c-remote', 'Asked of a larger machine', nowMs - 3 * MINUTE_MS, [
      { question: 'Which planet has the longest day?', answer: 'Venus: one of its days takes 243 of ours.', change },
      { question: 'And the shortest?', answer: 'Jupiter turns once in just under ten hours.' },
      { question: 'When may I end my lease?', answer: '', change: { ...change, status: 'failed', stats: null, error: held } },
    ]),
    ...everyday(nowMs),
  ];
}

export const CUT_OFF: WireError = {
  code: 'engine.answer-full',
  message: 'The answer was cut off after so many tokens.',
  details: {},
};
export const LOST: WireError = {
  code: 'gpu.device-lost',
  message: 'The graphics driver reset the device while answering. What was written is kept; ask again to continue.',
  details: { reason: 'unknown' },
};

export function troubled(nowMs: number): Conversation[] {
  return [
    conversation('c-trouble', 'When things go wrong', nowMs - 2 * MINUTE_MS, [
      {
        question: 'Tell me about tides.',
        answer: 'Tides are caused by the pull of the Moon and',
        change: { status: 'interrupted', stats: null },
      },
      { question: 'And in lakes?', answer: 'Lakes have tides too, but', change: { status: 'stopped' } },
      { question: 'How high are they?', answer: '', change: { status: 'failed', stats: null, error: LOST } },
      {
        question: 'Summarise all of it.',
        answer: 'The Moon raises water twice a day; small basins barely notice.',
        change: {
          stats: {
            promptTokens: 7_800,
            answerTokens: 24,
            prefillMs: 9_000,
            decodeMs: 1_900,
            contextUsedTokens: 7_824,
            contextTokens: 8192,
            droppedTurns: 3,
          },
        },
      },
    ]),
  ];
}

/** Headings, paragraphs, lists and code in the mix that long answers have. */
export function longAnswer(nLines: number): string {
  const lines: string[] = [];
  for (let section = 1; lines.length < nLines; section++) {
    lines.push(
      `## Section ${section}`,
      '',
      `Paragraph **${section}** has some text, with \`code\` and a [link](https://example.org/${section}).`,
      '',
    );
    for (let item = 1; item <= 6; item++) lines.push(`- item ${item} of section ${section}`);
    lines.push('', '```ts', `const section = ${section};`, 'console.log(section);', '```', '');
  }
  return lines.slice(0, nLines).join('\n');
}

export function long(nowMs: number): Conversation[] {
  const title =
    'An exceedingly long conversation title, the kind that fills the whole width of the sidebar and then goes on for quite a while';
  const many = Array.from({ length: 300 }, (_, index) =>
    conversation(`c-many-${index}`, `Conversation number ${index + 1}`, nowMs - (index + 2) * 7 * 60 * MINUTE_MS, []),
  );
  return [
    conversation('c-long', title, nowMs - MINUTE_MS, [
      {
        question: Array.from({ length: 200 }, (_, line) => `line ${line + 1} of a pasted log`).join('\n'),
        answer: longAnswer(10_000),
      },
    ]),
    conversation('c-code', 'Ten thousand lines of code', nowMs - 2 * MINUTE_MS, [
      {
        question: 'All of it, please.',
        answer: `\`\`\`c\n${Array.from({ length: 10_000 }, (_, line) => `int value_${line} = ${line};`).join('\n')}\n\`\`\`\n`,
      },
    ]),
    ...many,
  ];
}

/** Asked over a collection: an answer that is supported, one that is not, and one that is not in the documents. */
export function grounded(nowMs: number): Conversation[] {
  const titles = [
    ['How high is the deposit, and when do I get it back?', 'The deposit of the flat'],
    ['May I keep a dog?', 'Pets in the flat'],
    ['Is there a parking space for my car?', 'Parking'],
  ];
  return titles.map(([question, title], at) => {
    const { content, ...grounding } = groundedAnswer(question);
    const turn = { question, answer: content, change: grounding };
    const asked = conversation(`c-grounded-${at}`, title, nowMs - (at + 1) * MINUTE_MS, [turn]);
    return { ...asked, collectionId: 'lease' };
  });
}
