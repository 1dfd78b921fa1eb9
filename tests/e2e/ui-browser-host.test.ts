/** The product's page against the real services, database and HTTP server; only the engine and the model are acted out. */
import path from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { BrowserHost } from '../../main/hosts/browser/server.ts';
import { dropModel, hostSuite } from './host-harness.ts';
import { ask } from './ui-harness.ts';

const suite = hostSuite();
const startHost = (data: string) => suite.start(path.join(suite.folder, data));

async function open(host: BrowserHost): Promise<{ page: Page; complaints: string[] }> {
  const page = await suite.browser().newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(host.newStartUrl());
  await page.getByRole('textbox', { name: 'Your question' }).waitFor();
  return { page, complaints };
}

it('takes a dropped model, answers a question asked before, and shows it all again after a restart', async () => {
  const first = await startHost('data');
  first.engine.answer = 'Paris is the **capital** of France.';
  const { page, complaints } = await open(first.host);
  await ask(page, 'What is the capital of France?');
  await page.getByText('It will be answered once you choose a model.').waitFor();

  await dropModel(page, 'Kleines Modell ü.gguf');
  const answer = page.getByRole('article', { name: 'Answer' });
  await answer.locator('strong', { hasText: 'capital' }).waitFor();
  await answer.getByText(/tokens · [\d,]+ of [\d,]+ context/).waitFor();
  await page.getByText('Software rendering: only small models are practical').waitFor();
  expect(complaints).toEqual([]);

  await page.close();
  await suite.stop();
  const second = await startHost('data');
  const again = await open(second.host);
  await again.page
    .getByRole('navigation')
    .getByRole('button', { name: /^What is the capital/ })
    .first()
    .click();
  await again.page.getByRole('article', { name: 'Answer' }).locator('strong', { hasText: 'capital' }).waitFor();
  expect(again.complaints).toEqual([]);
});

it('stops at once, shows why a path is refused, and says when the host is gone', async () => {
  const { host, engine } = await startHost('other');
  engine.answer = 'word '.repeat(2000);
  const { page } = await open(host);
  await page.getByRole('button', { name: 'Import a model' }).click();
  await page.getByLabel('Path of a GGUF file on this computer').fill(path.join(suite.folder, 'nothing here.gguf'));
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Library' }).getByRole('alert').getByText('nothing here.gguf').waitFor();
  await page.keyboard.press('Escape');
  await dropModel(page, 'other.gguf');
  await page
    .getByRole('button', { name: /^other/ })
    .first()
    .waitFor();
  await ask(page, 'Go on for long');
  await page.getByRole('article', { name: 'Answer' }).getByText('word word').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('You stopped this answer.').waitFor();
  await suite.stop();
  await page.getByText('Conclave does not answer').waitFor();
});
