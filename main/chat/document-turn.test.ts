import { expect, test } from 'vitest';
import { fakeChatModel } from '../../tests/fixtures-services/fake-models.ts';
import type { Passage } from '../contract/documents.ts';
import type { Message, Role } from '../contract/types.ts';
import { aMessage } from '../database/test-database.ts';
import { DOCUMENT_SYSTEM_PROMPT, documentPrompt } from './document-prompt.ts';
import { documentPromptFor, MOST_PASSAGES } from './document-turn.ts';

/** Its tokens are characters. */
const model = fakeChatModel('m', 'M');
const settings = { maxAnswerTokens: 100 };

function path(...turns: [Role, string, Passage[]?][]): Message[] {
  return turns.map(([role, content, sources = []], i) => aMessage({ id: `${i}`, conversationId: 'c', role, content, sources }));
}

function passage(number: number, text: string): Passage {
  return {
    documentId: 'd',
    documentTitle: `Doc ${number}`,
    page: number,
    heading: null,
    text,
    start: 1000,
    end: 1000 + text.length,
    score: 1,
  };
}

function ask(messages: Message[], passages: Passage[], contextTokens: number) {
  const { prompt, sources } = documentPromptFor(messages, passages, settings, { model, contextTokens });
  return { text: String.fromCharCode(...prompt.ids), sources, droppedTurns: prompt.droppedTurns, tokens: prompt.ids.length };
}

const question = path(['user', 'What is blue?']);
const text = 'One is red. Two is blue. Three is green.';

test('the prompt is the golden one, with the passages in order', () => {
  const passages = [passage(1, text), passage(2, 'Four is grey.')];
  const { user } = documentPrompt({ passages, question: 'What is blue?' });
  const asked = ask(question, passages, 4000);
  expect(asked.text).toBe(`<system>${DOCUMENT_SYSTEM_PROMPT}<user>${user}<assistant>`);
  expect(asked.sources).toEqual(passages);
  const many = Array.from({ length: 9 }, (_, i) => passage(i + 1, text));
  expect(ask(question, many, 9000).sources).toHaveLength(MOST_PASSAGES);
});

test('for every context: as many passages as fit beside the room for the answer; the first is cut to sentences, spans stay exact', () => {
  const passages = [passage(1, text), passage(2, text), passage(3, text)];
  const seen = new Set<string>();
  for (let contextTokens = 200; contextTokens < 700; contextTokens += 5) {
    let asked;
    try {
      asked = ask(question, passages, contextTokens);
    } catch (error) {
      expect(error).toMatchObject({ code: 'engine.context-full' });
      expect(seen.size).toBe(0); // only below the least that works
      continue;
    }
    const { sources, tokens } = asked;
    expect(tokens + Math.min(100, Math.floor(contextTokens / 4))).toBeLessThanOrEqual(contextTokens);
    for (const { text: cut, start, end } of sources) {
      expect(cut).toBe(text.slice(start - 1000, end - 1000));
      expect(cut).toContain('Two is blue.');
    }
    seen.add(sources.map((source) => source.text.length).join(','));
  }
  expect([...seen]).toEqual(['12', '24', '28', '40', '40,40', '40,40,40']);
});

test('the last turn stays with the question, older ones drop first; citations of earlier answers are gone', () => {
  const old = passage(1, text);
  const messages = path(
    ['user', 'q1'.padEnd(120)],
    ['assistant', 'a1'.padEnd(120)],
    ['user', 'And red?'],
    ['assistant', 'One is [1].', [old]],
    ['user', 'What is blue?'],
  );
  const roomy = ask(messages, [passage(1, text)], 2000);
  expect(roomy).toMatchObject({ droppedTurns: 0 });
  expect(roomy.text).toContain('<user>And red?<assistant>One is.<user>[1] Doc 1, p. 1\n');
  const tight = ask(messages, [passage(1, text), passage(2, text)], 500);
  expect(tight).toMatchObject({ droppedTurns: 1 });
  expect(tight.text).toContain('<user>And red?<assistant>One is.<user>');
});
