/**
 * Questions over a PDF in the product's page against the real services: upload, reading, retrieval, evidence, viewer. Only the model's
 * words are acted out; the PDF is printed by the browser that runs the test.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { FakeEngine } from '../fixtures-services/fake-engine.ts';
import type { BrowserHost } from '../../main/hosts/browser/server.ts';
import { dropModel, hostSuite } from './host-harness.ts';
import { ask } from './ui-harness.ts';

const PAGES = [
  'The lighthouse on Kettle Point was built in 1871. Its first keeper was Maren Holt, who stayed for twenty-two years. The tower is built of granite that came by barge from the south.',
  'The lamp burned rapeseed oil until 1904, when it was replaced by a petroleum burner. The keeper climbed the 147 steps three times each night. In winter the stairs were heated by a stove on the second floor.',
  'The fog bell was cast in Gothenburg and weighs 310 kilograms. It was rung by clockwork every forty seconds. The clockwork is kept in the museum of the harbour.',
];

const suite = hostSuite();
const dataFolder = path.join(suite.folder, 'data ü');

async function printPages(): Promise<Buffer> {
  const printer = await suite.browser().newPage();
  await printer.setContent(PAGES.map((text) => `<p style="break-after: page; font: 14pt/1.5 serif">${text}</p>`).join(''));
  const pdf = await printer.pdf({ format: 'A5' });
  await printer.close();
  return pdf;
}

async function start(): Promise<{ host: BrowserHost; engine: FakeEngine }> {
  const { host, engine, services } = await suite.start(dataFolder);
  engine.contextTokens = 16_384; // its tokens are characters
  void services.start();
  return { host, engine };
}

async function open(host: BrowserHost): Promise<Page> {
  const page = await suite.browser().newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(host.newStartUrl());
  await page.getByRole('textbox', { name: 'Your question' }).waitFor();
  return page;
}

it('answers from an uploaded PDF with page and passage, doubts, refuses, and knows it all after a restart', async () => {
  const pdf = await printPages();
  const { host, engine } = await start();
  const page = await open(host);
  await dropModel(page, 'model.gguf');
  await page.getByText('Software rendering: only small models are practical').waitFor();
  await page.getByRole('navigation').getByRole('button', { name: 'Documents', exact: true }).click();
  await page.getByRole('button', { name: 'New collection' }).click();
  await page.keyboard.type('Kettle Point');
  await page.keyboard.press('Enter');
  await page.getByText('Drop files or a folder here').waitFor();
  await page.locator('input[type=file]:not([webkitdirectory])').setInputFiles([
    { name: 'Lighthouse ü.pdf', mimeType: 'application/pdf', buffer: pdf },
    { name: 'broken.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 and nothing more') },
    { name: 'photo.png', mimeType: 'image/png', buffer: Buffer.from('PNG') },
  ]);
  await page.getByRole('alert').getByText('1 file was not taken').waitFor();
  await page.getByText(/3 pages .* passages?/).waitFor({ timeout: 20_000 });
  await page.getByRole('button', { name: 'Try again: broken.pdf' }).waitFor({ timeout: 20_000 });
  await page.getByText('2 documents · 1 could not be read').waitFor();

  await page.getByRole('button', { name: 'Ask about these' }).click();
  const answer = page.getByRole('article', { name: 'Answer' });
  engine.answer = 'The lamp burned rapeseed oil until 1904 [1]. It could be seen from the Moon [8].';
  await ask(page, 'What did the lamp burn until 1904?');
  await answer.getByText('Best support in your documents').waitFor({ timeout: 20_000 });
  expect(await answer.locator('figure').innerText()).toMatch(/rapeseed oil until 1904[\s\S]*page 2/);
  expect(await answer.locator('.markdown .unsupported').innerText()).toBe('It could be seen from the Moon.');
  await answer.getByText('1 citation that pointed to no passage was taken out.').waitFor();
  await answer.getByRole('button', { name: /^Source 1: .*p\..2/ }).click();
  const viewer = page.getByRole('complementary', { name: /^Document / });
  await viewer.locator('mark.quote').waitFor(); // the document's text comes after the panel
  expect(await viewer.locator('mark.quote').allInnerTexts()).toEqual([expect.stringContaining('burned rapeseed oil until 1904')]);
  expect(await viewer.getByLabel('Page', { exact: true }).inputValue()).toBe('2');
  await page.keyboard.press('Escape');

  engine.answer = 'It was painted by seven elephants [1].';
  await ask(page, 'How heavy is the fog bell?');
  await answer.nth(1).getByText('What your documents say:').waitFor({ timeout: 20_000 });
  expect(await answer.nth(1).locator('figure').innerText()).toMatch(/310 kilograms[\s\S]*page 3/);

  engine.answer = 'That is not in your documents.';
  await ask(page, 'Who was the first keeper of the lighthouse?'); // the model is wrong, the documents hold it
  await answer.nth(2).getByText('What in your documents comes closest:').waitFor({ timeout: 20_000 });
  expect(await answer.nth(2).locator('figure').innerText()).toMatch(/Maren Holt[\s\S]*page 1/);
  await ask(page, 'Which painters exhibited in Vienna?');
  await answer.nth(3).getByText('That is not in your documents.').waitFor({ timeout: 20_000 });

  await page.close();
  await suite.stop();
  const again = await open((await start()).host);
  await again
    .getByRole('navigation')
    .getByRole('button', { name: /^What did the lamp/ })
    .first()
    .click();
  const kept = again.getByRole('article', { name: 'Answer' });
  await kept.nth(3).getByText('That is not in your documents.').waitFor();
  await kept
    .first()
    .getByRole('button', { name: /^Source 1/ })
    .click();
  await again.locator('mark.quote').waitFor(); // its copy and its text are still there
  await again.getByRole('button', { name: 'Answers come from Kettle Point. Change' }).waitFor();
  expect(readdirSync(path.join(dataFolder, 'documents'))).toHaveLength(2);
});
