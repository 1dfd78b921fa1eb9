/** What tests measure in a page: findings of axe-core, and the longest time without a picture. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

/** What axe-core finds, one line each, the impact first. */
export async function violations(page: Page): Promise<string[]> {
  await page.waitForTimeout(300); // transitions change colours
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return found.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${impact} ${id} ${target.join(' ')}: ${failureSummary}`),
  );
}

/** Those that are serious or critical. */
export async function seriousViolations(page: Page): Promise<string[]> {
  return (await violations(page)).filter((line) => /^(serious|critical) /.test(line));
}

/** Runs `act` and returns the longest stretch, in ms, for which the page could not draw. */
export async function longestPauseMs(page: Page, act: () => Promise<void>): Promise<number> {
  await page.evaluate(() => {
    const state = { longest: 0, last: performance.now(), on: true };
    Object.assign(window, { pauses: state });
    const tick = (): void => {
      const now = performance.now();
      state.longest = Math.max(state.longest, now - state.last);
      state.last = now;
      if (state.on) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await act();
  return page.evaluate(() => {
    const { pauses } = window as unknown as { pauses: { longest: number; on: boolean } };
    pauses.on = false;
    return Math.round(pauses.longest);
  });
}
