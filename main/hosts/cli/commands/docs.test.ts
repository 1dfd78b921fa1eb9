import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../tests/fixtures-services/temporary-folder.ts';
import { runCli } from '../main.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => folder.remove());

async function cli(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const data = ['--data', path.join(folder.path, 'data')];
  const exitCode = await runCli(['docs', ...args, ...data], streams, new AbortController().signal);
  return { exitCode, stdout, stderr };
}

function writeDocuments(): string {
  const documents = path.join(folder.path, 'Meine Dokumente');
  mkdirSync(documents);
  writeFileSync(path.join(documents, 'keys.md'), '# Keys\n\nA lost key costs 85 euros.\n');
  writeFileSync(path.join(documents, 'empty.txt'), '');
  return documents;
}

test('index, search and ask in one data folder; indexing again changes nothing', async () => {
  const documents = writeDocuments();
  const indexed = await cli('index', documents, '--collection', 'House', '--json');
  expect(indexed.exitCode).toBe(0);
  expect(JSON.parse(indexed.stdout)).toMatchObject({ collection: 'House', added: 2, ready: 1, passages: 1, waiting: 0 });
  expect(JSON.parse(indexed.stdout).failed).toMatchObject([{ error: { code: 'document.empty' } }]);
  expect(JSON.parse((await cli('index', documents, '--collection', 'House', '--json')).stdout)).toMatchObject({
    ready: 1,
    passages: 1,
  });
  const found = JSON.parse((await cli('search', 'What does a lost key cost?', '--json')).stdout);
  expect(found.passages).toMatchObject([{ documentTitle: 'Keys', text: '# Keys\n\nA lost key costs 85 euros.' }]);
  expect((await cli('search', 'Xylophone?')).stdout).toBe('Nothing was found.\n');
  // Without a passage no model is needed: the file is not even opened.
  const asked = JSON.parse((await cli('ask', 'Xylophone?', '--model', 'nowhere.gguf', '--json')).stdout);
  expect(asked).toMatchObject({ answer: 'That is not in your documents.', sources: [], evidence: { verdict: 'absent' } });
  expect(await cli('ask', 'What does a lost key cost?', '--model', path.join(folder.path, 'nowhere.gguf'))).toMatchObject({
    exitCode: 3,
  });
});

test('bad usage is told: what, which collection, which model', async () => {
  expect(await cli('fly', 'x')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('docs fly does not exist') });
  expect(await cli('search', 'x')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Say which collection') });
  expect(await cli('search', 'x', '--collection', 'Y')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('no collection "Y"'),
  });
  expect(await cli('ask', 'x')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--model is missing') });
});
