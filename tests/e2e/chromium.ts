/**
 * A Chromium for tests in a real page, with `navigator.gpu`. Linux x64: the headless Chromium and SwiftShader of the npm package
 * `@sparticuz/chromium`, unpacked once into the user's cache (no root, no download). Elsewhere: an installed Chrome, Edge or Chromium.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';
import type { TestContext } from 'vitest';

export interface ChromiumBinary {
  readonly executablePath: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** What it is, for logs. */
  readonly source: string;
}

/** No window, no first-run work, no request of its own. */
const quiet = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];
/** The tests' pages are ours, and a container has no user namespaces for the sandbox. */
const software = ['--no-sandbox', '--disable-gpu-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** The binary, or the reason why there is none. */
export function findChromium(): ChromiumBinary | { readonly missing: string } {
  const packaged = unpackChromium();
  if (packaged) return packaged;
  const installed = installedBrowsers().find((file) => existsSync(file));
  if (!installed) return { missing: `no Chrome, Edge or Chromium is installed (${process.platform}-${process.arch})` };
  const args = process.platform === 'linux' ? [...quiet, ...software] : [...quiet, '--enable-unsafe-webgpu'];
  return { executablePath: installed, env: {}, args, source: installed };
}

/** Starts it, or skips the test with the reason. The caller closes the browser. */
export async function launchChromium(context: TestContext): Promise<Browser> {
  const found = findChromium();
  if ('missing' in found) return context.skip(found.missing);
  return startChromium(found);
}

export function startChromium(binary: ChromiumBinary): Promise<Browser> {
  return chromium.launch({
    executablePath: binary.executablePath,
    args: [...binary.args],
    env: { ...(process.env as Record<string, string>), ...binary.env },
    headless: true,
    timeout: 60_000,
  });
}

function unpackChromium(): ChromiumBinary | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  let root: string;
  try {
    root = path.dirname(path.dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
  } catch {
    return null;
  }
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const folder = path.join(os.homedir(), '.cache', 'conclave', `chromium-${version}`);
  if (!existsSync(folder)) unpackInto(path.join(root, 'bin'), folder);
  return {
    executablePath: path.join(folder, 'chromium'),
    // Its NSS libraries come second, so that the system's are taken where they are installed.
    env: {
      LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, path.join(folder, 'lib'), folder].filter(Boolean).join(':'),
      FONTCONFIG_PATH: existsSync('/etc/fonts/fonts.conf') ? '/etc/fonts' : folder,
    },
    args: [...quiet, ...software],
    source: `@sparticuz/chromium ${version}`,
  };
}

/** Unpacks beside the target and renames, so that a folder that exists is whole. */
function unpackInto(archives: string, target: string): void {
  const partial = `${target}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const chromiumBytes = zlib.brotliDecompressSync(readFileSync(path.join(archives, 'chromium.br')));
    writeFileSync(path.join(partial, 'chromium'), chromiumBytes, { mode: 0o755 });
    for (const name of ['swiftshader', 'al2023', 'fonts']) {
      const tar = zlib.brotliDecompressSync(readFileSync(path.join(archives, `${name}.tar.br`)));
      const result = spawnSync('tar', ['-x', '-C', partial], { input: tar, maxBuffer: 1 << 20 });
      if (result.status !== 0) throw new Error(`tar could not unpack ${name}.tar.br: ${result.stderr ?? result.error?.message}`);
    }
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // else another process was faster
  }
}

function installedBrowsers(): string[] {
  if (process.platform === 'darwin')
    return ['Google Chrome', 'Microsoft Edge', 'Chromium'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
  if (process.platform === 'win32') {
    const bases = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA].filter(
      (base) => base !== undefined,
    );
    return bases.flatMap((base) => [
      path.join(base, 'Google', 'Chrome', 'Application', 'chrome.exe'),
      path.join(base, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
    ]);
  }
  return ['/usr/bin/google-chrome', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/microsoft-edge'];
}
