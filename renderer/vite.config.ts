/**
 * Builds the chat page into out/renderer. `--mode fake` also builds fake.html, the page over the scripted client. Everything is a
 * file of its own (no inlined asset, script or style), so that the page runs under a policy that allows nothing else.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type UserConfig } from 'vite';

const root = path.dirname(fileURLToPath(import.meta.url));

export function rendererConfig(mode: string): UserConfig {
  const pages = mode === 'fake' ? ['index.html', 'fake.html'] : ['index.html'];
  return {
    root,
    base: './',
    publicDir: false,
    plugins: [svelte({ configFile: false, compilerOptions: { runes: true } })],
    build: {
      outDir: path.join(root, '..', 'out', 'renderer'),
      emptyOutDir: true,
      target: 'chrome114',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: pages.map((page) => path.join(root, page)) },
    },
  };
}

export default defineConfig(({ mode }) => rendererConfig(mode));
