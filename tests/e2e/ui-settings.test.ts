/** The settings that a model has a word in: who names a value, how it is set and given back, how many experts work. Over the scripted client. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { violations } from './measure-page.ts';
import { pageSuite, picture, requests } from './ui-harness.ts';

const suite = pageSuite();

async function open(...options: Parameters<typeof suite.open>): Promise<Page> {
  const page = await suite.open(...options);
  await page.keyboard.press('Control+,');
  await page.getByRole('dialog', { name: 'Settings' }).waitFor();
  return page;
}

const placeholder = (page: Page, label: string) => page.getByLabel(label, { exact: true }).getAttribute('placeholder');
const updates = (page: Page) => requests(page, 'settings.update');

async function type(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).fill(text);
  await page.keyboard.press('Tab');
}

describe('sampling', () => {
  it('shows what the model’s file says, and what Conclave takes where it is silent', async () => {
    const page = await open('plain');
    expect(await placeholder(page, 'Temperature')).toBe('0.6, from the model');
    expect(await placeholder(page, 'Top-k')).toBe('20, from the model');
    expect(await placeholder(page, 'Min-p')).toBe('0.05, Conclave’s own');
  });

  it('is the user’s once set, and the model’s again by the button or an empty field', async () => {
    const page = await open('plain');
    const temperature = page.getByLabel('Temperature', { exact: true });
    await type(page, 'Temperature', '1,2');
    await page.getByRole('button', { name: 'Back to the model’s 0.6' }).click();
    await page.getByRole('button', { name: 'Back to the model’s 0.6' }).waitFor({ state: 'detached' });
    expect(await temperature.inputValue()).toBe('');
    expect(await temperature.evaluate((field) => field === document.activeElement)).toBe(true);
    await type(page, 'Min-p', '0.1');
    await page.getByRole('button', { name: 'Back to Conclave’s 0.05' }).waitFor();
    await type(page, 'Min-p', '');
    expect(await updates(page)).toEqual([{ temperature: 1.2 }, { temperature: null }, { minP: 0.1 }, { minP: null }]);
  });

  it('is left to a server', async () => {
    const page = await open('remote');
    expect(await placeholder(page, 'Temperature')).toBe('the server’s');
    expect(await placeholder(page, 'Top-k')).toBe('not sent to servers');
  });
});

describe('experts per token', () => {
  it('shows the model’s number, takes one that the model has, refuses one it has not', async () => {
    const page = await open('plain');
    expect(await placeholder(page, 'Experts per token')).toBe('8, from the model');
    await page.getByText('Of 128 in each layer.').waitFor();
    await page.getByText('A change here loads Qwen3-30B-A3B-Instruct-2507 again.').waitFor();
    await type(page, 'Experts per token', '129');
    await page.getByText('Experts per token is a whole number from 1 to 128; “129” is not.').waitFor();
    await type(page, 'Experts per token', '4');
    await page.getByRole('button', { name: 'Back to the model’s 8' }).waitFor();
    expect(await updates(page)).toEqual([{ expertsUsed: 4 }]);
  });

  it('says when a number set for another model is more than this one has', async () => {
    const page = await open('plain');
    const notice = '200 experts per token are set, but this model has 128 in a layer, so it uses its own number, 8.';
    await page.evaluate(() => window.fake.request('settings.update', { expertsUsed: 200 }));
    await page.getByRole('dialog').getByText(notice).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('main').getByText(notice).waitFor();
  });
});

it('keys and values: three types, what each takes of memory, chosen with the arrow keys', async () => {
  const page = await open('plain');
  const types = page.getByRole('group', { name: 'Keys and values' });
  expect(await types.locator('label').allInnerTexts()).toEqual(['8-bit\n49.8 MiB', '16-bit\n93.8 MiB', '32-bit\n188 MiB']);
  expect(await types.getByRole('radio', { checked: true }).getAttribute('value')).toBe('f16');
  await types.getByRole('radio', { checked: true }).focus();
  await page.keyboard.press('ArrowLeft');
  await types.getByRole('radio', { name: '8-bit', checked: true }).waitFor();
  expect(await updates(page)).toEqual([{ kvType: 'q8_0' }]);
});

/** Pixels by which the body is wider than its box, and what lies below the dialog's end; the fields whose placeholder is too wide. */
function cutOff(page: Page) {
  return page.getByRole('dialog').evaluate((dialog) => {
    const body = dialog.querySelector('.body')!;
    const pen = document.createElement('canvas').getContext('2d')!;
    const fields = [...dialog.querySelectorAll<HTMLInputElement>('.row input')].filter((field) => {
      const { fontWeight, fontSize, fontFamily, paddingLeft, paddingRight } = getComputedStyle(field);
      pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
      return pen.measureText(field.placeholder).width > field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    });
    return {
      px: body.scrollWidth - body.clientWidth,
      below: dialog.scrollHeight - dialog.clientHeight,
      fields: fields.map(({ id }) => id),
    };
  });
}

it.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 480],
  ['dark', 480],
  ['light', 360],
] as const)('axe-core finds nothing, and nothing is cut off: %s, %i px', async (colorScheme, width) => {
  const page = await open('plain', { colorScheme, viewport: { width, height: 800 } });
  expect(await cutOff(page)).toEqual({ px: 0, below: 0, fields: [] });
  await type(page, 'Temperature', '0.3');
  await type(page, 'Top-k', '999');
  await page.evaluate(() => window.fake.request('settings.update', { expertsUsed: 200 }));
  expect(await violations(page)).toEqual([]);
  expect((await cutOff(page)).px).toBe(0);
  for (const heading of ['Answers', 'Model']) {
    await page.getByRole('heading', { name: heading, exact: true }).evaluate((title) => title.scrollIntoView());
    await picture(page, `settings-${heading.toLowerCase()}-${colorScheme}-${width}`);
  }
});
