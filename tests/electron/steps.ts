/** Steps that build on each other: after one that failed, the rest fail as not reached. */

export interface Run {
  step(name: string, work: () => Promise<void> | void): Promise<void>;
  /** Counts one skip for what is left out. */
  skip(reason: string): void;
  /** Prints the counts; the exit code. */
  finish(): number;
}

/** `label` says in the summary whose failures and skips these are. */
export function describeRun(label = 'electron'): Run {
  let passed = 0;
  let skipped = 0;
  const failures: string[] = [];
  return {
    async step(name, work) {
      if (failures.length > 0) {
        failures.push(name);
        console.log(`  – ${name} (not reached)`);
        return;
      }
      try {
        await work();
        passed++;
        console.log(`  ✓ ${name}`);
      } catch (error) {
        failures.push(name);
        console.log(`  ✗ ${name}\n    ${error instanceof Error ? error.stack : String(error)}`);
      }
    },
    skip(reason) {
      skipped++;
      console.log(`skipped 1: [${label}] ${reason}`);
    },
    finish() {
      for (const failure of failures) console.log(`failed: [${label}] ${failure}`);
      console.log(`${passed} passed, ${failures.length} failed, ${skipped} skipped`);
      return failures.length > 0 ? 1 : 0;
    },
  };
}
