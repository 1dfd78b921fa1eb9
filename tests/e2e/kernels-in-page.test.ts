/**
 * The kernels inside a real page: the engine must work on `navigator.gpu` as it does on Dawn in Node, where all.gpu.test.ts runs every case
 * on the same adapter. What a page adds is its own WGSL compiler and API, so every kernel, every variant and every line of WGSL is
 * compiled and run there at least once. CONCLAVE_PAGE_CASES=all runs all cases.
 */
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCases } from '../../gpu/kernels/all-cases.ts';
import { SUITE_CONFIGURATIONS } from '../../gpu/kernels/harness.ts';
import { findChromium, startChromium } from './chromium.ts';
import type { PageReport } from './kernels-page.ts';
import { servePage, type PageServer } from './page-server.ts';

// SwiftShader compiles every pipeline anew in each configuration.
const limitMs = 480_000;
const which: 'all' | 'new text' = process.env.CONCLAVE_PAGE_CASES === 'all' ? 'all' : 'new text';
const kernelOf = (caseName: string) => caseName.split(':')[0];
const kernels = [...new Set(allCases.map(({ name }) => kernelOf(name)))];

const found = findChromium();
let browser: Browser | undefined;
let server: PageServer | undefined;
let page: PageReport;

beforeAll(async () => {
  if ('missing' in found) return;
  [browser, server] = [await startChromium(found), await servePage(path.join(import.meta.dirname, 'kernels-page.ts'))];
  const opened = await browser.newPage();
  await opened.goto(server.address);
  await opened.waitForFunction(() => 'runKernels' in window);
  page = await opened.evaluate((cases) => window.runKernels(cases), which);
  for (const { name } of SUITE_CONFIGURATIONS)
    console.log(`${name}: ${page.reports.filter(({ configuration }) => configuration === name).length} cases (${which})`);
}, limitMs);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe('in a page', () => {
  for (const kernel of kernels)
    test(kernel, (context) => {
      if ('missing' in found) return context.skip(found.missing);
      const reports = page.reports.filter(({ name }) => kernelOf(name) === kernel);
      expect(reports.map(({ configuration }) => configuration)).toContain('default');
      expect(reports.filter(({ failures }) => failures.length > 0)).toEqual([]);
    });

  for (const { name, options } of SUITE_CONFIGURATIONS)
    test(name, (context) => {
      if ('missing' in found) return context.skip(found.missing);
      const reason = page.skipped[name];
      if (reason && options.disable) return context.skip(`${name} in a page: ${reason}`);
      expect(reason).toBeUndefined();
    });
});
