import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vitest/config';

/** `.wgsl` files as text, as wgsl-hook.mjs does for plain Node. */
export function wgslText(): Plugin {
  return {
    name: 'conclave:wgsl-text',
    enforce: 'pre',
    load(id) {
      if (!id.endsWith('.wgsl')) return null;
      return `export default ${JSON.stringify(readFileSync(id, 'utf8'))};`;
    },
  };
}

// The suites are run by tests/run.ts, which sets the environment (Vulkan driver) that a GPU suite needs before its process starts.
export default defineConfig({
  plugins: [wgslText()],
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    include: ['{gpu,main,renderer,tests}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'out/**'],
  },
});
