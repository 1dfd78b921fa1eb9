/** What even a script that got into the page could not do: the policy of the real browser host, tried from within. */
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startServer } from '../../main/hosts/browser/server.ts';
import { rendererConfig } from '../../renderer/vite.config.ts';
import { startFakeOpenAi, type FakeOpenAi } from '../fixtures-services/fake-openai.ts';
import { temporaryFolder } from '../fixtures-services/temporary-folder.ts';
import { testServices, type TestServices } from '../fixtures-services/test-services.ts';
import { findChromium, startChromium } from './chromium.ts';

const found = findChromium();
const folder = temporaryFolder();
const stop: (() => Promise<unknown>)[] = [];
let elsewhere: FakeOpenAi;
let services: TestServices;
let page: Page;
let origin: string;

beforeAll(async () => {
  if ('missing' in found) return;
  const pageFolder = path.join(folder.path, 'page');
  const config = rendererConfig('production');
  await build({ ...config, configFile: false, logLevel: 'error', build: { ...config.build, outDir: pageFolder } });
  elsewhere = await startFakeOpenAi();
  services = testServices(path.join(folder.path, 'data'));
  const host = await startServer(services.services, pageFolder);
  const browser: Browser = await startChromium(found);
  stop.push(
    () => browser.close(),
    () => host.close(),
    () => services.services.close(),
    () => elsewhere.close(),
  );
  origin = host.origin;
  page = await (await browser.newContext({ colorScheme: 'light' })).newPage();
  await page.goto(host.newStartUrl());
  await page.getByRole('textbox', { name: 'Your question' }).waitFor();
});
beforeEach((context) => {
  if ('missing' in found) context.skip(found.missing);
});
afterAll(async () => {
  for (const end of stop) await end();
  folder.remove();
});

it('runs no inline script, no handler and no eval', async () => {
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.inlineRan = 1';
    document.body.append(script);
    const box = document.createElement('div');
    box.innerHTML = '<img src="nothing.png" onerror="window.handlerRan = 1"><svg onload="window.svgRan = 1"></svg>';
    document.body.append(box);
    const link = document.createElement('a');
    link.href = 'javascript:window.linkRan = 1';
    link.click();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const evaluated = (() => {
      try {
        return Function('return "ran"')() as string;
      } catch {
        return 'refused';
      }
    })();
    return [evaluated, ...['inlineRan', 'handlerRan', 'svgRan', 'linkRan'].filter((name) => name in window)];
  });
  expect(ran).toEqual(['refused']);
});

it('fetches nothing from elsewhere, sends nothing there, embeds nothing', async () => {
  const ways = await page.evaluate(async (other) => {
    const outcome = async (run: () => Promise<unknown>) =>
      run().then(
        () => 'went',
        () => 'refused',
      );
    const element = (name: string, attributes: Record<string, string>) =>
      outcome(
        () =>
          new Promise((resolve, reject) => {
            const made = Object.assign(document.createElement(name), { onload: resolve, onerror: reject });
            for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
            document.body.append(made);
            setTimeout(reject, 1000);
          }),
      );
    const socket = () =>
      outcome(
        () =>
          new Promise((resolve, reject) => {
            const made = new WebSocket(other.replace('http', 'ws'));
            made.onopen = resolve;
            made.onerror = reject;
          }),
      );
    const form = document.createElement('form');
    form.action = `${other}/form`;
    form.method = 'post';
    form.target = '_self';
    document.body.append(form);
    form.submit();
    navigator.sendBeacon(`${other}/beacon`, 'x');
    return {
      image: await element('img', { src: `${other}/image.png` }),
      script: await element('script', { src: `${other}/script.js` }),
      style: await element('link', { rel: 'stylesheet', href: `${other}/style.css` }),
      prefetch: await element('link', { rel: 'prefetch', href: `${other}/prefetch` }),
      frame: await element('iframe', { src: `${other}/frame` }).then(() => 'refused'),
      object: await element('object', { data: `${other}/object` }),
      audio: await element('audio', { src: `${other}/audio.mp3` }),
      fetch: await outcome(() => fetch(`${other}/fetch`, { mode: 'no-cors' })),
      events: await outcome(
        () =>
          new Promise((resolve, reject) => {
            const made = new EventSource(`${other}/events`);
            made.onopen = resolve;
            made.onerror = () => {
              made.close();
              reject(new Error());
            };
          }),
      ),
      socket: await socket(),
      data: await element('img', { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' }),
    };
  }, elsewhere.origin);
  expect(Object.entries(ways).filter(([, outcome]) => outcome !== 'refused')).toEqual([]);
  expect(page.url()).toBe(`${origin}/`);
  expect(elsewhere.seen).toEqual([]);
});

it('another site in the same browser can neither frame, read nor change it', async () => {
  elsewhere.reply = (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Elsewhere</title>');
  const other = await page.context().newPage();
  await other.goto(elsewhere.origin);
  // With the frame, the server sees the session's cookie (ports are one site) and answers; it is the browser that must not show it.
  const framed = other.waitForEvent('requestfailed', (request) => request.isNavigationRequest());
  const shown = other.waitForEvent('framenavigated', (frame) => frame.parentFrame() !== null);
  const outcome = await other.evaluate(async (target) => {
    const tried = async (path: string, init: RequestInit = {}) =>
      fetch(`${target}${path}`, { credentials: 'include', ...init }).then(
        (response) => response.text(),
        () => 'refused',
      );
    const frame = document.createElement('iframe');
    frame.src = target;
    const loaded = new Promise((resolve) => (frame.onload = resolve)); // the browser's own page of the refusal loads, too
    document.body.append(frame);
    await loaded;
    const readable = (() => {
      try {
        return frame.contentDocument?.querySelector('textarea') ? 'read' : 'refused';
      } catch {
        return 'refused';
      }
    })();
    return [
      readable,
      await tried('/'),
      await tried('/api/events'),
      await tried('/api/settings.update', {
        method: 'POST',
        body: '{"theme":"dark"}',
        headers: { 'content-type': 'application/json' },
      }),
      await tried('/api/settings.update', {
        method: 'POST',
        body: '{"theme":"dark"}',
        headers: { 'content-type': 'text/plain' },
      }),
    ];
  }, origin);
  expect(outcome).toEqual(Array(5).fill('refused'));
  expect((await shown).url()).toMatch(/^chrome-error:/);
  const request = await framed;
  expect([request.url(), (await request.response())?.status()]).toEqual([`${origin}/`, 200]);
  expect(request.failure()?.errorText).toBe('net::ERR_BLOCKED_BY_RESPONSE');
  await postForm(other);
  expect((await services.request('app.state', {})).settings.theme).toBe('system');
  await other.close();

  /** A form needs no CORS; only Origin and the cookie's SameSite stand against it. */
  async function postForm(from: Page): Promise<void> {
    const answered = from.waitForResponse((response) => response.url().includes('/api/settings.update'));
    await from.evaluate((target) => {
      const form = Object.assign(document.createElement('form'), {
        method: 'post',
        action: `${target}/api/settings.update`,
        enctype: 'text/plain',
      });
      form.append(Object.assign(document.createElement('input'), { name: '{"theme":"dark","x":"', value: '"}' }));
      document.body.append(form);
      form.submit();
    }, origin);
    expect((await answered).status()).toBe(403);
  }
});
