/**
 * `npm run build`: main with its document worker, preloads and pages to out/. CommonJS; preloads are one file each: a sandboxed one can
 * be nothing else, and two must not share a chunk. CONCLAVE_STAND_IN=1 builds for the old Electron that tests/electron uses as a stand-in.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'electron-vite';
import { rendererConfig } from './renderer/vite.config.ts';
import { wgslText } from './tests/support/wgsl-text.ts';

const root = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts: string[]) => path.join(root, ...parts);
const standIn = process.env.CONCLAVE_STAND_IN === '1';
// Where the stand-in's build goes, so that it does not replace the product's.
const out = standIn ? at('out', 'stand-in', 'out') : at('out');
const target = standIn ? 'node18.15' : undefined;
const { build: pageBuild, ...pages } = rendererConfig('production');
// better-sqlite3 13 needs a newer Node-API than the stand-in has; libsql has the same shape.
const alias: Record<string, string> = standIn ? { 'better-sqlite3': 'libsql' } : {};

const commonJs = { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'shared/[name]-[hash].cjs' } as const;

export default defineConfig({
  main: {
    resolve: { alias },
    plugins: [wgslText()],
    build: {
      outDir: path.join(out, 'main'),
      target,
      externalizeDeps: false,
      rollupOptions: {
        input: { main: at('main', 'hosts', 'electron', 'main.ts'), 'document-worker': at('main', 'documents', 'worker.ts') },
        external: ['electron', standIn ? 'libsql' : 'better-sqlite3'],
        output: commonJs,
      },
    },
  },
  preload: {
    plugins: [wgslText()],
    build: {
      outDir: path.join(out, 'preload'),
      target,
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
    ...pages,
    // electron-vite bundles this configuration, and with it the file that `pages` took its paths from; and it knows `rollupOptions` only.
    root: at('renderer'),
    build: {
      ...pageBuild,
      outDir: path.join(out, 'renderer'),
      rolldownOptions: undefined,
      rollupOptions: { input: at('renderer', 'index.html') },
    },
  },
});
