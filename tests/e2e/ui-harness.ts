/**
 * The chat page over its scripted client, built once per file into a temporary folder and served under the policy the hosts set.
 * Every page that a test opens is watched: a script error, a refusal of the content policy or a request that leaves the server's
 * origin fails the test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { rendererConfig } from '../../renderer/vite.config.ts';
import type { ScenarioName } from '../../renderer/state/fake-scenarios.ts';
import type { FakeClient } from '../../renderer/state/fake-client.ts';
import { findChromium, startChromium } from './chromium.ts';

declare global {
  interface Window {
    /** As in renderer/fake.ts, which these tests open. */
    fake: FakeClient;
  }
}

export const CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface PageServer {
  readonly origin: string;
  readonly folder: string;
  close(): Promise<void>;
}

/** `fake` comes with `fake.html`, the page over its scripted client. */
export async function buildPage(mode: 'production' | 'fake', folder: string): Promise<void> {
  const config = rendererConfig(mode);
  await build({ ...config, configFile: false, logLevel: 'error', build: { ...config.build, outDir: folder } });
}

/** Builds the page with `fake.html` and serves it on a port of 127.0.0.1. */
export async function servePage(): Promise<PageServer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave page ü-'));
  await buildPage('fake', folder);
  const server = createServer((request, response) => {
    const name = path.normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    readFile(path.join(folder, name)).then(
      (bytes) => {
        response.setHeader('content-type', TYPES[path.extname(name)] ?? 'application/octet-stream');
        response.setHeader('content-security-policy', CONTENT_POLICY);
        response.end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    folder,
    async close() {
      await closeServer(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export interface PageSuite {
  readonly server: () => PageServer;
  /** A page in `scenario`, ready for a question. */
  open(scenario: ScenarioName, options?: BrowserContextOptions): Promise<Page>;
}

/** Call once at the top of a file: registers the hooks that build, start, watch and clean up. */
export function pageSuite(): PageSuite {
  const found = findChromium();
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  let server: PageServer;
  let browser: Browser;

  beforeAll(async () => {
    if ('missing' in found) return;
    server = await servePage();
    browser = await startChromium(found);
  });
  beforeEach((context) => {
    complaints.length = 0;
    if ('missing' in found) context.skip(found.missing);
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    expect(complaints).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  return {
    server: () => server,
    async open(scenario, options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1180, height: 800 },
        permissions: ['clipboard-read', 'clipboard-write'],
        ...options,
      });
      contexts.push(context);
      const page = await context.newPage();
      watch(page, server.origin, complaints);
      await page.goto(`${server.origin}/fake.html?scenario=${scenario}`);
      await page.getByRole('textbox', { name: 'Your question' }).waitFor();
      return page;
    },
  };
}

function watch(page: Page, origin: string, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`request: ${request.url()}`);
  });
}

/** Opens a conversation by its title, also where the sidebar is a drawer. */
export async function openConversation(page: Page, title: string): Promise<void> {
  const show = page.getByRole('button', { name: 'Show the sidebar' });
  if (await show.isVisible()) await show.click();
  await page.getByRole('navigation').getByRole('button', { name: title, exact: true }).click();
  await page.getByRole('article').first().waitFor();
}

/** The next answers say this. */
export function answerWith(page: Page, text: string): Promise<void> {
  return page.evaluate((answer) => {
    window.fake.answer = () => answer;
  }, text);
}

export async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Your question' }).fill(question);
  await page.keyboard.press('Enter');
}

/** What the page asked of a channel of the scripted client, in order. */
export function requests(page: Page, channel: string): Promise<unknown[]> {
  return page.evaluate(
    (wanted) => window.fake.log.filter((entry) => entry.channel === wanted).map(({ request }) => request),
    channel,
  );
}

/** CONCLAVE_PICTURES=FOLDER keeps what the tests see, for people. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.CONCLAVE_PICTURES;
  if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`) });
}
