/**
 * The browser host end to end: its process with a scripted engine, the built chat page in a real Chromium, SQLite in a folder with spaces
 * and umlauts. A question is asked, answered, stopped, and is there again after a reload and after a kill.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, type TestContext } from 'vitest';
import { ensureBuilt } from '../../main/hosts/launcher/builds.mjs';
import { temporaryFolder } from '../fixtures-services/temporary-folder.ts';
import { launchChromium } from './chromium.ts';
import { HostProcess } from './host-process.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
let folder: ReturnType<typeof temporaryFolder>;
let browser: Browser | undefined;
let context: BrowserContext | undefined;
let host: HostProcess | undefined;
const pageErrors: Error[] = [];

beforeAll(async () => {
  expect(await ensureBuilt(root, 'page', process.execPath)).toBeNull();
});
beforeEach(() => void (folder = temporaryFolder()));
afterEach(async () => {
  await context?.close();
  context = undefined;
  await host?.end();
  host = undefined;
  folder.remove();
  expect(pageErrors.splice(0)).toEqual([]);
});
afterAll(async () => browser?.close());

/** Starts the host's process; resolves with its link. */
async function startHost(...args: string[]): Promise<string> {
  const model = path.join(folder.path, 'starter möe.gguf');
  writeFileSync(model, 'GGUF');
  const script = path.join(root, 'tests', 'fixtures-services', 'fake-host.ts');
  const places = ['--data', path.join(folder.path, 'dätä'), '--page', path.join(root, 'out', 'renderer')];
  host = new HostProcess([script, ...places, ...args, model]);
  return host.link();
}

async function openPage(link: string, test: TestContext): Promise<Page> {
  browser ??= await launchChromium(test);
  await context?.close();
  context = await browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => pageErrors.push(error));
  await page.goto(link);
  return page;
}

async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: /message|question|ask/i }).fill(question);
  await page.keyboard.press('Enter');
}

test('a question is answered, and is there after a reload and after a kill', async (t) => {
  const page = await openPage(await startHost('--answer', 'Paris is the capital.'), t);
  expect(new URL(page.url()).search).toBe('');
  await ask(page, 'What is the capital of France?');
  await page.getByText('Paris is the capital.', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('What is the capital of France?').first().click();
  await page.getByText('Paris is the capital.', { exact: true }).waitFor();
  await host!.end('SIGKILL');
  const again = await openPage(await startHost(), t);
  await again.getByText('What is the capital of France?').first().click();
  await again.getByText('Paris is the capital.', { exact: true }).waitFor();
});

test('an answer that is killed in the middle is kept as far as it was shown a moment before', async (t) => {
  const page = await openPage(await startHost('--answer', 'abcdefghijklmnopqrstuvwxyz'.repeat(20)), t);
  await ask(page, 'The alphabet');
  await page.getByText(/(abcdefghijklmnopqrstuvwxyz){8}/).waitFor(); // by then the host has long committed what follows
  await host!.end('SIGKILL');
  const again = await openPage(await startHost(), t);
  await again.getByText('The alphabet').first().click();
  await again.getByText(/abcdefghijklmnopqrstuvwxyzabc/).waitFor();
});

test('a page without the link gets nothing', async (t) => {
  const link = await startHost();
  const page = await openPage(link, t);
  const stranger = await browser!.newContext();
  try {
    const other = await stranger.newPage();
    expect((await other.goto(link))?.status()).toBe(403);
    expect((await other.goto(new URL('/', link).href))?.status()).toBe(403);
  } finally {
    await stranger.close();
  }
  await page.reload();
  await page.getByRole('textbox').first().waitFor();
});
