/**
 * Questions over a PDF in the product's page against the real services: upload, reading, retrieval, evidence, viewer. Only the model's
 * words are acted out; the PDF is printed by the browser that runs the test.
 */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../main/clock.ts';
import { startServer, type BrowserHost } from '../../main/hosts/browser/server.ts';
import { rendererConfig } from '../../renderer/vite.config.ts';
import { FakeEngine } from '../fixtures-services/fake-engine.ts';
import { temporaryFolder } from '../fixtures-services/temporary-folder.ts';
import { testServices } from '../fixtures-services/test-services.ts';
import { findChromium, startChromium } from './chromium.ts';
import { ask } from './ui-harness.ts';

const PAGES = [
  'The lighthouse on Kettle Point was built in 1871. Its first keeper was Maren Holt, who stayed for twenty-two years. The tower is built of granite that came by barge from the south.',
  'The lamp burned rapeseed oil until 1904, when it was replaced by a petroleum burner. The keeper climbed the 147 steps three times each night. In winter the stairs were heated by a stove on the second floor.',
  'The fog bell was cast in Gothenburg and weighs 310 kilograms. It was rung by clockwork every forty seconds. The clockwork is kept in the museum of the harbour.',
];

const found = findChromium();
const folder = temporaryFolder();
const pageFolder = path.join(folder.path, 'page');
const dataFolder = path.join(folder.path, 'data ü');
const stop: (() => Promise<void>)[] = [];
let browser: Browser;
let pdf: Buffer;

beforeAll(async () => {
  if ('missing' in found) return;
  const config = rendererConfig('production');
  await build({ ...config, configFile: false, logLevel: 'error', build: { ...config.build, outDir: pageFolder } });
  browser = await startChromium(found);
  const printer = await browser.newPage();
  await printer.setContent(PAGES.map((text) => `<p style="break-after: page; font: 14pt/1.5 serif">${text}</p>`).join(''));
  pdf = await printer.pdf({ format: 'A5' });
  await printer.close();
});
beforeEach((context) => {
  if ('missing' in found) context.skip(found.missing);
});
afterAll(async () => {
  await browser?.close();
  await stopHost();
  rmSync(pageFolder, { recursive: true, force: true });
  folder.remove();
});

async function stopHost(): Promise<void> {
  for (const end of stop.splice(0)) await end();
}

async function start(): Promise<{ host: BrowserHost; engine: FakeEngine }> {
  const engine = new FakeEngine(systemClock, 'plain');
  engine.contextTokens = 16_384; // its tokens are characters
  const { services } = testServices(dataFolder, 'plain', { engine, clock: systemClock });
  const host = await startServer(services, pageFolder);
  void services.start();
  stop.push(async () => {
    await host.close();
    await services.close();
  });
  return { host, engine };
}

async function open(host: BrowserHost): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(host.newStartUrl());
  await page.getByRole('textbox', { name: 'Your question' }).waitFor();
  return page;
}

async function dropModel(page: Page): Promise<void> {
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['GGUF fake'], 'model.gguf'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.getByText('Software rendering: only small models are practical').waitFor();
}

it('answers from an uploaded PDF with page and passage, doubts, refuses, and knows it all after a restart', async () => {
  const { host, engine } = await start();
  const page = await open(host);
  await dropModel(page);
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
  await stopHost();
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
