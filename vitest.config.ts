import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { wgslText } from './tests/support/wgsl-text.ts';

const generated = ['**/node_modules/**', 'out/**', 'dist/**', '.cache/**'];

// One project per suite of tests/run.ts, which sets the environment (Vulkan driver) that a suite needs before its process starts.
export default defineConfig({
  plugins: [wgslText(), svelte({ configFile: false })],
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{gpu,main,renderer,tests}/**/*.test.ts'],
          exclude: [...generated, '**/*.gpu.test.ts', 'tests/e2e/**', 'tests/parity/**'],
        },
      },
      { extends: true, test: { name: 'gpu', include: ['{gpu,main,renderer,tests}/**/*.gpu.test.ts'], exclude: generated } },
      { extends: true, test: { name: 'e2e', include: ['tests/e2e/**/*.test.ts'], exclude: generated, maxWorkers: 1 } },
    ],
  },
});
