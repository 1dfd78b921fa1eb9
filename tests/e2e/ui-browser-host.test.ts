/** The product's page against the real services, database and HTTP server; only the engine and the model are acted out. */
import path from 'node:path';
import { rmSync } from 'node:fs';
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

const found = findChromium();
const folder = temporaryFolder();
const pageFolder = path.join(folder.path, 'page');
let browser: Browser;
const stop: (() => Promise<void>)[] = [];

async function startHost(data: string): Promise<{ host: BrowserHost; engine: FakeEngine }> {
  const engine = new FakeEngine(systemClock, 'plain');
  const { services } = testServices(path.join(folder.path, data), 'plain', { engine, clock: systemClock });
  const host = await startServer(services, pageFolder);
  stop.push(async () => {
    await host.close();
    await services.close();
  });
  return { host, engine };
}

async function open(host: BrowserHost): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(host.newStartUrl());
  await page.getByRole('textbox', { name: 'Your question' }).waitFor();
  return { page, complaints };
}

async function stopHosts(): Promise<void> {
  for (const end of stop.splice(0)) await end();
}

beforeAll(async () => {
  if ('missing' in found) return;
  const config = rendererConfig('production');
  await build({ ...config, configFile: false, logLevel: 'error', build: { ...config.build, outDir: pageFolder } });
  browser = await startChromium(found);
});
beforeEach((context) => {
  if ('missing' in found) context.skip(found.missing);
});
afterAll(async () => {
  await browser?.close();
  await stopHosts();
  rmSync(pageFolder, { recursive: true, force: true });
  folder.remove();
});

it('takes a dropped model, answers a question asked before, and shows it all again after a restart', async () => {
  const first = await startHost('data');
  first.engine.answer = 'Paris is the **capital** of France.';
  const { page, complaints } = await open(first.host);
  await ask(page, 'What is the capital of France?');
  await page.getByText('It will be answered once you choose a model.').waitFor();

  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['GGUF fake'], 'Kleines Modell ü.gguf'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  const answer = page.getByRole('article', { name: 'Answer' });
  await answer.locator('strong', { hasText: 'capital' }).waitFor();
  await answer.getByText(/tokens · [\d,]+ of [\d,]+ context/).waitFor();
  await page.getByText('Software rendering: only small models are practical').waitFor();
  expect(complaints).toEqual([]);

  await page.close();
  await stopHosts();
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
  await page.getByLabel('Path of a GGUF file on this computer').fill(path.join(folder.path, 'nothing here.gguf'));
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Library' }).getByRole('alert').getByText('nothing here.gguf').waitFor();
  await page.keyboard.press('Escape');
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['GGUF fake'], 'other.gguf'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page
    .getByRole('button', { name: /^other/ })
    .first()
    .waitFor();
  await ask(page, 'Go on for long');
  await page.getByRole('article', { name: 'Answer' }).getByText('word word').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('You stopped this answer.').waitFor();
  await stopHosts();
  await page.getByText('Conclave does not answer').waitFor();
});
