/**
 * The app as people get it: the browser host with its own engine and the starter model, a printed book of 30 pages, three questions. Two are
 * answered with the right sentence and page, whatever the tiny model says; one is refused. CONCLAVE_PICTURES=FOLDER keeps pictures.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../../main/hosts/launcher/builds.mjs';
import { printDocsPdf } from '../documents/docs-pdf.ts';
import { temporaryFolder } from '../fixtures-services/temporary-folder.ts';
import { STARTER_MODEL } from '../starter/material.ts';
import { findChromium, startChromium } from './chromium.ts';
import { HostProcess } from './host-process.ts';
import { ask, picture } from './ui-harness.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const found = findChromium();
const missing =
  'missing' in found ? found.missing : existsSync(STARTER_MODEL) ? null : 'resources/models/starter.gguf is not there';
/** A prompt with its passages takes a software adapter its time: `npm test` asks two questions, CONCLAVE_BOOK=all (.ci/run) three. */
const ALL = process.env.CONCLAVE_BOOK === 'all';
const ANSWER_MS = 120_000;
const folder = temporaryFolder();
let browser: Browser | undefined;
let host: HostProcess | undefined;

beforeAll(async () => {
  if (missing !== null || 'missing' in found) return;
  expect(await ensureBuilt(root, 'page', process.execPath)).toBeNull();
  browser = await startChromium(found);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await host?.end();
  folder.remove();
});

async function startHost(): Promise<string> {
  const [launcher, script] = ['launcher/with-node.mjs', 'browser/browser.ts'].map((name) =>
    path.join(root, 'main', 'hosts', name),
  );
  host = new HostProcess([launcher, script, '--data', path.join(folder.path, 'data'), '--no-open']);
  return host.link();
}

/** The app quotes a sentence with these words; its page is the one at which the viewer opens, with the passage marked. */
async function expectQuote(page: Page, answer: Locator, words: RegExp): Promise<void> {
  await answer.locator('figure').waitFor({ timeout: ANSWER_MS });
  const quote = await answer.locator('figure').innerText();
  expect(quote).toMatch(words);
  const named = /page (\d+)/.exec(quote)?.[1];
  await answer.locator('figure').getByRole('button').click();
  const viewer = page.getByRole('complementary', { name: /^Document / });
  await viewer.locator('mark').first().waitFor();
  expect(named).toBe(await viewer.getByLabel('Page', { exact: true }).inputValue());
}

test.skipIf(missing !== null)(
  'the starter model and a book: answers with sentence and page, and a refusal',
  async () => {
    const page = await browser!.newPage({ viewport: { width: 1280, height: 860 } });
    await page.goto(await startHost());
    await page.getByText('Software rendering: only small models are practical').waitFor({ timeout: ANSWER_MS });
    await page.getByRole('navigation').getByRole('button', { name: 'Documents', exact: true }).click();
    await page.getByRole('button', { name: 'New collection' }).click();
    await page.keyboard.type('Handbook');
    await page.keyboard.press('Enter');
    await page.getByText('Drop files or a folder here').waitFor();
    const buffer = Buffer.from(await printDocsPdf(browser!));
    await page
      .locator('input[type=file]:not([webkitdirectory])')
      .setInputFiles([{ name: 'The Conclave handbook.pdf', mimeType: 'application/pdf', buffer }]);
    const pages = page.getByText(/(\d+) pages .* passages?/);
    await pages.waitFor({ timeout: 60_000 });
    expect(Number(/(\d+) pages/.exec(await pages.innerText())![1])).toBeGreaterThanOrEqual(30);
    await page.getByRole('button', { name: 'Ask about these' }).click();

    const answers = page.getByRole('article', { name: 'Answer' });
    await ask(page, 'Where are conversations kept?');
    await expectQuote(page, answers.nth(0), /SQLite/);
    await picture(page, 'documents');
    await page.keyboard.press('Escape');
    if (ALL) {
      await ask(page, 'What is a slot of a slab?');
      await expectQuote(page, answers.nth(1), /slab/i);
      await page.keyboard.press('Escape');
    }
    await ask(page, 'Which painters exhibited in Vienna?');
    await answers
      .nth(ALL ? 2 : 1)
      .getByText('That is not in your documents.')
      .waitFor({ timeout: ANSWER_MS });
    await picture(page, 'refusal');
  },
  4 * ANSWER_MS,
);
