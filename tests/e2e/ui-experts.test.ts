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

test('approximate routing is off, and labelled with its agreement when it is turned on', async () => {
  const page = await suite.open('plain');
  await ask(page, 'What is an expert?');
  const openExperts = () => page.getByRole('button', { name: 'Experts', exact: true }).click();
  await openExperts();
  await page.getByText('Fetched from disk').waitFor();
  expect(await page.getByText('Approximate routing is on').count()).toBe(0);
  await page.keyboard.press('Control+,');
  const margin = page.getByLabel('Approximate routing (faster, changes answers)');
  expect(await margin.getAttribute('placeholder')).toBe('off, exact');
  await margin.fill('0.5');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  await page.getByText(/Approximate routing is on \(margin 0.5\)/).waitFor();
  await page.getByText('Chosen as exact routing would').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
});
