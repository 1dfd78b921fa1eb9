/**
 * `npm run icons`: draws resources/icon.svg (up to 24 pixels: icon-small.svg) with Chromium and writes resources/icons/*.png, icon.ico and
 * icon.icns, which are committed. macOS wants the picture on 824 of 1024 pixels, with a shadow's room around it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { findChromium, startChromium } from '../e2e/chromium.ts';
import { icnsFile, icoFile, type IconImage } from './icon-files.ts';

const SMALL_PIXELS = 24;
const LINUX_SIZES = [16, 24, 32, 48, 64, 128, 256, 512];
const WINDOWS_SIZES = [16, 24, 32, 48, 64, 128, 256];
const MAC_SIZES = [16, 32, 64, 128, 256, 512, 1024];
const MAC_SHARE = 824 / 1024;

const resources = path.join(path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url)))), 'resources');
const found = findChromium();
if ('missing' in found) throw new Error(`The icons are drawn with Chromium, but ${found.missing}.`);
const browser = await startChromium(found);
try {
  const square = new Map<number, Buffer>();
  for (const size of LINUX_SIZES) square.set(size, await draw(browser, size, 1));
  mkdirSync(path.join(resources, 'icons'), { recursive: true });
  for (const [size, png] of square) writeFileSync(path.join(resources, 'icons', `${size}x${size}.png`), png);
  writeFileSync(
    path.join(resources, 'icon.ico'),
    icoFile(WINDOWS_SIZES.map((size) => ({ size, png: square.get(size) as Buffer }))),
  );
  const mac: IconImage[] = [];
  for (const size of MAC_SIZES) mac.push({ size, png: await draw(browser, size, MAC_SHARE) });
  writeFileSync(path.join(resources, 'icon.icns'), icnsFile(mac));
} finally {
  await browser.close();
}

/** A PNG of `size` × `size` with the picture on `share` of each side, transparent around it. */
async function draw(chromium: Browser, size: number, share: number): Promise<Buffer> {
  const svg = readFileSync(path.join(resources, size <= SMALL_PIXELS ? 'icon-small.svg' : 'icon.svg'));
  const side = Math.round((size * share) / 2) * 2;
  const page = await chromium.newPage({ viewport: { width: size, height: size } });
  try {
    const shadow = share < 1 && size >= 128 ? `filter:drop-shadow(0 ${size / 100}px ${size / 100}px rgba(0,0,0,.3))` : '';
    const style = `display:block;margin:${(size - side) / 2}px;width:${side}px;height:${side}px;${shadow}`;
    await page.setContent(
      `<body style="margin:0;background:transparent"><img style="${style}" src="data:image/svg+xml;base64,${svg.toString('base64')}">`,
      { waitUntil: 'load' },
    );
    await page.evaluate(() => document.querySelector('img')?.decode());
    return await page.screenshot({ omitBackground: true });
  } finally {
    await page.close();
  }
}
