import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { wgslText } from './tests/support/wgsl-text.ts';

/** Tests that run whole engines and leave the device whole. */
const engine = ['tests/engine/!(lost-device).gpu.test.ts', 'gpu/{runtime,residency/plan}/**/*.gpu.test.ts'];
/** End-to-end tests that measure no delay, so they may run beside others: those with an engine in a page, and those of the browser host. */
const hosts = ['tests/e2e/{kernels-in-page,starter-documents,page-policy,*browser-host,ui-documents-host}.test.ts'];
/** Node's WebGPU polls the driver with a whole core of its own, one that the software adapter needs; a timer of 1 ms takes Windows 15. */
const patient =
  process.platform === 'win32' ? [] : [`--import=${new URL('tests/support/patient-polling.mjs', import.meta.url).href}`];
/** For the processes that tests start. */
const patientChildren = { NODE_OPTIONS: [process.env.NODE_OPTIONS, ...patient].filter(Boolean).join(' ') };
const generated = ['**/node_modules/**', 'out/**', 'dist/**', '.cache/**'];

const takesAMinute = ({ moduleId }: TestSpecification) => /\/tests\/starter\/starter(-reading)?\.test\.ts$/.test(moduleId);
const measuresDelays = ({ moduleId }: TestSpecification) => /\/tests\/e2e\/ui-(documents|safety)\.test\.ts$/.test(moduleId);

/** A fresh clone knows no durations: what takes a minute on its own would begin last. What measures delays does, when the suite beside it has ended. */
class LongFirstDelaysLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification) => Number(measuresDelays(file)) - Number(takesAMinute(file));
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

// One project per suite of tests/run.ts, which sets the environment (Vulkan driver) that a suite needs before its process starts.
export default defineConfig({
  plugins: [wgslText(), svelte({ configFile: false })],
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirstDelaysLast },
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
      // One process for all of its files, so that they share a device and the pipelines on it (sharedTestDevice).
      {
        extends: true,
        test: { name: 'engine', include: engine, exclude: generated, isolate: false, maxWorkers: 1, execArgv: patient },
      },
      {
        extends: true,
        test: {
          name: 'gpu',
          include: ['{gpu,main,renderer,tests}/**/*.gpu.test.ts'],
          exclude: [...generated, ...engine],
          maxWorkers: 1,
          execArgv: patient,
          env: patientChildren,
        },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['tests/e2e/**/*.test.ts'], exclude: [...generated, ...hosts], maxWorkers: 1 },
      },
      { extends: true, test: { name: 'hosts', include: hosts, exclude: generated, maxWorkers: 1 } },
    ],
  },
});
