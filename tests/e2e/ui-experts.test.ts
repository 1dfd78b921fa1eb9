/** The experts' page over the scripted client, in a real browser. */
import { expect, test } from 'vitest';
import { seriousViolations } from './measure-page.ts';
import { ask, pageSuite } from './ui-harness.ts';

const suite = pageSuite();

test('experts of an answer: shares, heat map by keyboard, figures per layer', async () => {
  const page = await suite.open('plain');
  await page.getByRole('button', { name: 'Experts', exact: true }).click();
  await page.getByRole('heading', { name: 'No expert has been asked yet' }).waitFor();
  await page.getByRole('button', { name: 'Back to the chat' }).first().click();
  await ask(page, 'What is an expert?');
  await page.getByRole('button', { name: 'Experts', exact: true }).click();
  const map = page.getByRole('img', { name: /How often each expert was used: 24 layers, 64 experts/ });
  await map.waitFor();
  await page.getByText('Fetched from disk').waitFor();
  await map.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.getByText(/^Layer 1, expert 0: used \d+ times?, by [\d.]+ % of the tokens$/).waitFor();
  await page.getByText('Figures per layer').click();
  expect(await page.getByRole('row').count()).toBe(25);
  expect(await seriousViolations(page)).toEqual([]);
});
