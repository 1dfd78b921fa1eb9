/**
 * A vitest reporter that leaves this run's counts, failures and reasons of skips in the JSON file named by CONCLAVE_REPORT, so that
 * tests/run.ts can add up suites that ran in separate processes. A file that could not be loaded counts as one failed test.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export interface SuiteReport {
  passed: number;
  failed: number;
  skipped: number;
  /** Full names of failed tests and of files that could not be loaded. */
  failures: string[];
  /** Reason → how many tests were skipped for it. */
  skips: Record<string, number>;
}

export function emptyReport(): SuiteReport {
  return { passed: 0, failed: 0, skipped: 0, failures: [], skips: {} };
}

export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const report = emptyReport();
    for (const module of modules) countModule(module, report);
    for (const error of unhandledErrors) {
      report.failed++;
      report.failures.push(`outside any test: ${error.message}`);
    }
    const file = process.env.CONCLAVE_REPORT;
    if (file) writeFileSync(file, JSON.stringify(report));
  }
}

function countModule(module: TestModule, report: SuiteReport): void {
  const failedBefore = report.failed;
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === 'passed') report.passed++;
    else if (result.state === 'skipped') {
      report.skipped++;
      const place = test.parent.type === 'suite' ? ` > ${test.parent.fullName}` : '';
      const reason = result.note ?? `${module.relativeModuleId}${place}`;
      report.skips[reason] = (report.skips[reason] ?? 0) + 1;
    } else {
      report.failed++;
      report.failures.push(`${module.relativeModuleId} > ${test.fullName}`);
    }
  }
  // A hook or an import that threw fails the file without failing any test of it.
  if (module.state() === 'failed' && report.failed === failedBefore) {
    report.failed++;
    report.failures.push(`${module.relativeModuleId} (the file itself: ${module.errors()[0]?.message ?? 'a hook failed'})`);
  }
}
