/** The committed icon files: complete, and made of the committed pictures (`npm run icons` makes them all). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';

const resources = path.join(path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url)))), 'resources');
const read = (name: string) => readFileSync(path.join(resources, name));
const pngSize = (png: Buffer) => (png.toString('latin1', 1, 4) === 'PNG' ? [png.readUInt32BE(16), png.readUInt32BE(20)] : null);

for (const size of [16, 24, 32, 48, 64, 128, 256, 512])
  it(`the picture of ${size} pixels has that size, clear corners and a filled middle`, () => {
    const png = read(`icons/${size}x${size}.png`);
    expect(pngSize(png)).toEqual([size, size]);
    expect(alpha(png, size, 0, 0)).toBeLessThan(128);
    expect(alpha(png, size, size / 2, size / 2)).toBe(255);
  });

it('the Windows icon holds those pictures', () => {
  const ico = read('icon.ico');
  expect([ico.readUInt16LE(0), ico.readUInt16LE(2)]).toEqual([0, 1]);
  const sizes = Array.from({ length: ico.readUInt16LE(4) }, (_, i) => {
    const entry = ico.subarray(6 + 16 * i, 22 + 16 * i);
    const png = ico.subarray(entry.readUInt32LE(12), entry.readUInt32LE(12) + entry.readUInt32LE(8));
    const size = entry[0] || 256;
    expect(png.equals(read(`icons/${size}x${size}.png`)), `${size}`).toBe(true);
    return size;
  });
  expect(sizes).toEqual([16, 24, 32, 48, 64, 128, 256]);
});

it('the macOS icon holds a picture for each size and density', () => {
  const icns = read('icon.icns');
  expect(icns.toString('latin1', 0, 4)).toBe('icns');
  expect(icns.readUInt32BE(4)).toBe(icns.length);
  const found: Record<string, number> = {};
  for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4)) {
    const [width, height] = pngSize(icns.subarray(at + 8, at + icns.readUInt32BE(at + 4))) ?? [];
    expect(width).toBe(height);
    found[icns.toString('latin1', at, at + 4)] = width ?? 0;
  }
  expect(found).toEqual({
    icp4: 16,
    icp5: 32,
    ic11: 32,
    ic12: 64,
    ic07: 128,
    ic08: 256,
    ic13: 256,
    ic09: 512,
    ic14: 512,
    ic10: 1024,
  });
});

/** Alpha at (x, y) of an 8-bit RGBA PNG. */
function alpha(png: Buffer, size: number, x: number, y: number): number {
  expect([png[24], png[25]], 'bit depth and colour type').toEqual([8, 6]);
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const rows = inflateSync(Buffer.concat(parts));
  const stride = 4 * size + 1;
  const previous = Buffer.alloc(4 * size);
  for (let row = 0; row <= y; row++) {
    const [filter, line] = [rows[row * stride], rows.subarray(row * stride + 1, (row + 1) * stride)];
    for (let i = 0; i < line.length; i++) {
      const [left, up, corner] = [i >= 4 ? line[i - 4] : 0, previous[i], i >= 4 ? previous[i - 4] : 0];
      line[i] = (line[i] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]) & 255;
    }
    line.copy(previous);
  }
  return previous[4 * x + 3];
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(left + up - corner - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
