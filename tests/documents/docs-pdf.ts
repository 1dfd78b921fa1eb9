/**
 * A PDF of real prose with at least 30 pages for tests: the repository's own docs, printed by Chromium on small pages with running heads
 * and page numbers, as a word processor would.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { marked } from 'marked';
import type { Browser } from 'playwright-core';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const CHAPTERS = [
  'README.md',
  'docs/architecture.md',
  'docs/model-formats.md',
  'docs/document-prompt.md',
  'docs/adding-kernels.md',
  'docs/adding-architectures.md',
  'docs/parity.md',
  'gpu/README.md',
  'CONTRIBUTING.md',
];

const STYLE = `body { font: 13pt/1.55 "DejaVu Serif", serif; text-align: justify; hyphens: auto } h1 { font-size: 20pt; page-break-before: always }
h2 { font-size: 15pt } pre, code { font: 9pt monospace; white-space: pre-wrap } table { font-size: 10pt; border-collapse: collapse } td, th { padding: 2pt 6pt }`;
const RUNNING = 'font-size: 8pt; width: 100%; text-align: center';

export async function printDocsPdf(browser: Browser): Promise<Uint8Array> {
  const chapters = CHAPTERS.map((file) => marked.parse(readFileSync(path.join(root, file), 'utf8'), { async: false }));
  const body = chapters.join('\n').replace(/<img[^>]*>/g, '');
  const page = await browser.newPage();
  try {
    await page.setContent(`<!doctype html><html lang="en"><title>The Conclave handbook</title><style>${STYLE}</style>${body}`);
    const printed = await page.pdf({
      format: 'A5',
      margin: { top: '20mm', bottom: '20mm', left: '16mm', right: '16mm' },
      displayHeaderFooter: true,
      headerTemplate: `<div style="${RUNNING}">The Conclave handbook</div>`,
      footerTemplate: `<div style="${RUNNING}">Page <span class="pageNumber"></span> of <span class="totalPages"></span></div>`,
    });
    return new Uint8Array(printed);
  } finally {
    await page.close();
  }
}
