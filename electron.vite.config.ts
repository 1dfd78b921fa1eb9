/**
 * `npm run build`: main, preloads and pages to out/. CommonJS, one file per entry: a sandboxed preload can be nothing else, and two
 * preloads must not share a chunk. CONCLAVE_STAND_IN=1 builds for the old Electron that tests/electron uses as a stand-in.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';
import { wgslText } from './tests/support/wgsl-text.ts';

const root = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts: string[]) => path.join(root, ...parts);
const standIn = process.env.CONCLAVE_STAND_IN === '1';
// Where the stand-in's build goes, so that it does not replace the product's.
const out = standIn ? at('out', 'stand-in', 'out') : at('out');
const target = standIn ? { node: 'node18.15', chrome: 'chrome114' } : { node: undefined, chrome: undefined };
// better-sqlite3 13 needs a newer Node-API than the stand-in has; libsql has the same shape.
const alias: Record<string, string> = standIn ? { 'better-sqlite3': 'libsql' } : {};

const commonJs = { format: 'cjs', entryFileNames: '[name].cjs' } as const;

export default defineConfig({
  main: {
    resolve: { alias },
    plugins: [wgslText()],
    build: {
      outDir: path.join(out, 'main'),
      target: target.node,
      externalizeDeps: false,
      rollupOptions: {
        input: { main: at('main', 'hosts', 'electron', 'main.ts') },
        external: ['electron', standIn ? 'libsql' : 'better-sqlite3'],
        output: commonJs,
      },
    },
  },
  preload: {
    plugins: [wgslText()],
    build: {
      outDir: path.join(out, 'preload'),
      target: target.node,
      externalizeDeps: false,
      isolatedEntries: true,
      rollupOptions: {
        input: { chat: at('main', 'hosts', 'electron', 'preload-chat.ts'), engine: at('renderer', 'engine', 'preload.ts') },
        external: ['electron'],
        output: commonJs,
      },
    },
  },
  renderer: {
    root: at('renderer'),
    plugins: [svelte({ configFile: false })],
    build: {
      outDir: path.join(out, 'renderer'),
      target: target.chrome,
      modulePreload: { polyfill: false }, // it is inline script, which the page's policy forbids
      assetsInlineLimit: 0,
      rollupOptions: { input: at('renderer', 'index.html') },
    },
  },
});
