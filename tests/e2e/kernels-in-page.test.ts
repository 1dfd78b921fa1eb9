/**
 * Every kernel case that Node runs, inside a real page: the engine must work on `navigator.gpu` as it does on Dawn in Node. The page
 * runs all of them once; each case is a test here, and each further configuration one more.
 */
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCases } from '../../gpu/kernels/all-cases.ts';
import { SUITE_CONFIGURATIONS, type SuiteReport } from '../../gpu/kernels/harness.ts';
import { findChromium, startChromium } from './chromium.ts';
import { servePage, type PageServer } from './page-server.ts';

// SwiftShader compiles every pipeline anew in each configuration.
const limitMs = 480_000;

const found = findChromium();
let browser: Browser | undefined;
let server: PageServer | undefined;
let reports: SuiteReport[] = [];

beforeAll(async () => {
  if ('missing' in found) return;
  [browser, server] = [await startChromium(found), await servePage(path.join(import.meta.dirname, 'kernels-page.ts'))];
  const page = await browser.newPage();
  await page.goto(server.address);
  await page.waitForFunction(() => 'runKernels' in window);
  reports = await page.evaluate(() => window.runKernels());
}, limitMs);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe('in a page', () => {
  for (const { name } of allCases) {
    test(name, (context) => {
      if ('missing' in found) return context.skip(found.missing);
      const result = reports[0].cases.find((candidate) => candidate.name === name);
      expect(result?.failures, 'the page ran this case').toEqual([]);
    });
  }

  for (const { name: configuration } of SUITE_CONFIGURATIONS.slice(1)) {
    test(`all cases with ${configuration}`, (context) => {
      if ('missing' in found) return context.skip(found.missing);
      const report = reports.find((candidate) => candidate.configuration === configuration);
      if (report?.skipped) return context.skip(`${configuration} in a page: ${report.skipped}`);
      expect(report?.cases.map(({ name }) => name)).toEqual(allCases.map(({ name }) => name));
      expect(report?.cases.filter(({ failures }) => failures.length > 0)).toEqual([]);
    });
  }
});

test('the page runs the suite without switching anything off', (context) => {
  if ('missing' in found) return context.skip(found.missing);
  expect(reports[0]).toMatchObject({ configuration: 'default' });
  expect(reports[0].cases.length).toBe(allCases.length);
});
