/**
 * `npm test [-- NAME…]`: runs the suites, each in its own process with the environment it needs, and ends with the line
 * `N passed, N failed, N skipped` over all of them. NAME is a suite (unit, engine, gpu, e2e, hosts) or part of a test file's path.
 * Each step is made for two cores: a suite with two workers, or two suites with one each. What measures delays comes last.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { vulkanEnvironment } from '../main/hosts/launcher/vulkan.mjs';
import { emptyReport, type SuiteReport } from './support/counting-reporter.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

interface Suite {
  /** Also the vitest project's name. */
  readonly name: string;
  readonly env: () => Record<string, string>;
  readonly limitMinutes: number;
}

// SwiftShader comes with `npm install` there, so a missing adapter is a failure; elsewhere it depends on the machine.
const adapterIsCertain = process.platform === 'linux' && process.arch === 'x64';
const adapter = process.env.CONCLAVE_ADAPTER ?? 'swiftshader';

const gpuEnvironment = () =>
  adapterIsCertain ? { CONCLAVE_ADAPTER: adapter, REQUIRE_GPU: '1', ...vulkanEnvironment(adapter) } : {};

const steps: readonly (readonly Suite[])[] = [
  [{ name: 'unit', env: () => ({}), limitMinutes: 10 }],
  [
    { name: 'engine', env: gpuEnvironment, limitMinutes: 20 },
    { name: 'gpu', env: gpuEnvironment, limitMinutes: 20 },
  ],
  [
    { name: 'e2e', env: () => ({}), limitMinutes: 15 },
    { name: 'hosts', env: () => ({}), limitMinutes: 15 },
  ],
];

const names = process.argv.slice(2);
const suiteNames = new Set(steps.flat().map(({ name }) => name));
const filters = names.filter((name) => !suiteNames.has(name));
const isChosen = ({ name }: Suite) => names.length === filters.length || names.includes(name);

const total = emptyReport();
for (const step of steps) {
  const suites = step.filter(isChosen);
  const reports = await Promise.all(suites.map((suite, i) => run(suite, i === 0)));
  suites.forEach((suite, i) => add(total, suite, reports[i]));
}

for (const failure of total.failures) console.log(`failed: ${failure}`);
for (const [reason, count] of Object.entries(total.skips)) console.log(`skipped ${count}: ${reason}`);
if (total.passed + total.failed + total.skipped === 0) {
  total.failed = 1;
  console.log(`failed: no test matches ${names.join(' ')}`);
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);

/** The output of a suite that is not `shown` comes when it has ended, in one piece. */
async function run(suite: Suite, shown: boolean): Promise<SuiteReport> {
  const heading = `\n── ${suite.name} ──`;
  if (shown) console.log(heading);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-test-'));
  const file = path.join(folder, 'report.json');
  try {
    const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', `--reporter=${path.join(root, 'tests', 'support', 'counting-reporter.ts')}`];
    const args = [vitest, 'run', '--project', suite.name, '--passWithNoTests', ...reporters, ...filters];
    const { problem, output } = await spawnAndWait(args, suite, shown, { CONCLAVE_REPORT: file });
    if (!shown) process.stdout.write(`${heading}\n${output}`);
    return readReport(file, problem);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `problem`: why it did not end well; `output`: what it wrote, where that was not `shown`. */
function spawnAndWait(
  args: string[],
  suite: Suite,
  shown: boolean,
  env: Record<string, string>,
): Promise<{ problem: string | null; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, ...suite.env(), ...env } };
    const child = spawn(process.execPath, args, {
      ...options,
      stdio: ['inherit', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    let problem: string | null = null;
    const timer = setTimeout(() => {
      problem = `still running after ${suite.limitMinutes} minutes`;
      child.kill('SIGKILL');
    }, suite.limitMinutes * 60_000);
    child.on('error', (error) => (problem = error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      problem ??= signal ? `ended by ${signal}` : code === 0 ? null : `exit code ${code}`;
      resolve({ problem, output });
    });
  });
}

/** A process that failed without a failed test in its report (or without a report) counts as one failure. */
function readReport(file: string, exit: string | null): SuiteReport {
  let report = emptyReport();
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    if (exit === null) return report; // vitest found no file for the filters
  }
  if (exit !== null && report.failed === 0) {
    report.failed++;
    report.failures.push(`the suite's process: ${exit}`);
  }
  return report;
}

function add(sum: SuiteReport, suite: Suite, report: SuiteReport): void {
  sum.passed += report.passed;
  sum.failed += report.failed;
  sum.skipped += report.skipped;
  sum.failures.push(...report.failures.map((failure) => `[${suite.name}] ${failure}`));
  for (const [reason, count] of Object.entries(report.skips)) {
    const key = `[${suite.name}] ${reason}`;
    sum.skips[key] = (sum.skips[key] ?? 0) + count;
  }
}
