/** What people do in the chat page, over the scripted client. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { seriousViolations } from './measure-page.ts';
import { answerWith, ask, openConversation, pageSuite, picture, requests } from './ui-harness.ts';

const suite = pageSuite();
const composer = (page: Page) => page.getByRole('form', { name: 'Ask a question' }).getByRole('textbox');
const answers = (page: Page) => page.getByRole('article', { name: 'Answer' });

describe('asking', () => {
  it('sends with Enter, streams, and ends with the figures', async () => {
    const page = await suite.open('plain');
    await ask(page, 'What is a router?');
    await page.getByRole('article', { name: 'You asked' }).getByText('What is a router?').waitFor();
    await answers(page).getByText('A mixture-of-experts layer keeps').waitFor();
    await page.getByRole('button', { name: 'Stop the answer' }).waitFor();
    expect(await answers(page).getAttribute('aria-busy')).toBe('true');
    await page.getByText(/tokens\/s · \d+ tokens · [\d,]+ of 8,192 context/).waitFor();
    expect(await answers(page).getAttribute('aria-busy')).toBe('false');
    expect(await page.title()).toBe('What is a router? · Conclave');
    await page.getByRole('status').getByText('End of the answer.').waitFor({ state: 'attached' });
  });

  it('breaks the line with Shift+Enter and does not send while an input method composes', async () => {
    const page = await suite.open('plain');
    await composer(page).pressSequentially('one');
    await page.keyboard.press('Shift+Enter');
    await composer(page).pressSequentially('two');
    expect(await composer(page).inputValue()).toBe('one\ntwo');
    await composer(page).evaluate((area) =>
      area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })),
    );
    expect(await requests(page, 'chat.send')).toEqual([]);
    await page.keyboard.press('Enter');
    await answers(page).waitFor();
    expect(await requests(page, 'chat.send')).toEqual([
      { conversationId: null, parentId: null, text: 'one\ntwo', collectionId: null },
    ]);
  });

  it('grows with its text up to a limit', async () => {
    const page = await suite.open('plain');
    const heightPx = async () => (await composer(page).boundingBox())!.height;
    const one = await heightPx();
    await composer(page).fill('a\nb\nc\nd');
    expect(await heightPx()).toBeGreaterThan(one * 2);
    await composer(page).fill('x\n'.repeat(500));
    expect(await heightPx()).toBeLessThanOrEqual(800 * 0.4 + 1);
    await composer(page).fill('');
    expect(await heightPx()).toBe(one);
  });

  it('stops with the button and with Escape, and keeps what was written', async () => {
    const page = await suite.open('plain');
    for (const stop of ['button', 'key']) {
      await ask(page, `Stop by ${stop}`);
      await page.getByRole('button', { name: 'Stop the answer' }).waitFor();
      await answers(page).last().getByText('A mixture-of-experts').waitFor();
      if (stop === 'button') await page.getByRole('button', { name: 'Stop the answer' }).click();
      else await page.keyboard.press('Escape');
      await answers(page).last().getByText('You stopped this answer.').waitFor();
      const text = await answers(page).last().innerText();
      await page.waitForTimeout(150);
      expect(await answers(page).last().innerText()).toBe(text);
    }
  });

  it('queues a question while the model loads and says so', async () => {
    const page = await suite.open('loading');
    await page.getByText('You can ask now; the question waits for it.').waitFor();
    await answerWith(page, 'Here it is.');
    await ask(page, 'Too early?');
    await page.getByText(/Your question is kept and will be answered when Qwen3.* is loaded/).waitFor();
    expect(await answers(page).getAttribute('aria-busy')).toBe('true');
    await answers(page).getByText('Here it is.').waitFor({ timeout: 15_000 });
  });

  it('queues a second question behind the first answer', async () => {
    const page = await suite.open('plain');
    await ask(page, 'First');
    await page.getByRole('button', { name: 'Stop the answer' }).waitFor();
    await ask(page, 'Second');
    await page.getByText('Your question is kept and comes next.').waitFor();
    await page.getByRole('button', { name: 'Stop the answer' }).click();
    await answers(page).nth(1).getByText('A mixture-of-experts').waitFor();
  });

  it('keeps a draft with its conversation', async () => {
    const page = await suite.open('plain');
    await composer(page).fill('for a new one');
    await openConversation(page, 'Names for a small grey cat');
    expect(await composer(page).inputValue()).toBe('');
    await composer(page).fill('for the cat');
    await page.getByRole('button', { name: 'New chat' }).click();
    expect(await composer(page).inputValue()).toBe('for a new one');
    await page.reload();
    await openConversation(page, 'Names for a small grey cat');
    expect(await composer(page).inputValue()).toBe('for the cat');
  });

  it('fills the composer from an example', async () => {
    const page = await suite.open('empty');
    await page.getByText('You are using a tiny demonstration model.').waitFor();
    await page.getByRole('button', { name: /Write with me/ }).click();
    expect(await composer(page).inputValue()).toContain('neighbour');
    expect(await composer(page).evaluate((area) => area === document.activeElement)).toBe(true);
  });
});

describe('a model that thinks', () => {
  const THOUGHTS = 'They ask for the **capital**.\n\n1. France\n2. Paris\n\nThat is all there is to it, as far as I can see.';
  const fold = (page: Page) => answers(page).locator('summary');

  it('thinks in a fold that can be opened while it grows; the answer stands below, and alone is copied', async () => {
    const page = await suite.open('slow');
    await answerWith(page, `<think>\n${THOUGHTS}\n</think>\n\nIt is **Paris**.`);
    await ask(page, 'Capital of France?');
    await fold(page).getByText('Thinking…').waitFor({ timeout: 15_000 });
    await page.getByRole('status').getByText('The model is thinking.').waitFor({ state: 'attached' });
    expect(await answers(page).innerText()).not.toMatch(/They|<|Thoughts/);
    await picture(page, 'thinking-folded');

    await fold(page).focus();
    await page.keyboard.press('Enter');
    await answers(page).getByText('They ask for').waitFor();
    expect(await answers(page).locator('details[open]').count()).toBe(1);
    await picture(page, 'thinking-unfolded');
    await fold(page).getByText('Thoughts').waitFor({ timeout: 30_000 });
    await answers(page).getByText('It is Paris.').waitFor({ timeout: 15_000 });
    await page.getByRole('status').getByText('It is Paris. End of the answer.').waitFor({ state: 'attached' });
    expect(await answers(page).locator('details strong').innerText()).toBe('capital');
    expect(await answers(page).locator('details').innerText()).not.toContain('Paris.');
    await picture(page, 'thoughts-unfolded');
    expect(await seriousViolations(page)).toEqual([]);
    await page.evaluate(() => (document.documentElement.dataset.theme = 'dark'));
    await picture(page, 'thoughts-unfolded-dark');
    expect(await seriousViolations(page)).toEqual([]);

    await page.keyboard.press('Space'); // the focus is still there
    await answers(page).getByText('They ask for').waitFor({ state: 'detached' });
    await picture(page, 'thoughts-folded-dark');
    await page.getByRole('button', { name: 'Copy the answer' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('It is **Paris**.');
  });

  it('says so when its answer ends in the thoughts', async () => {
    const page = await suite.open('plain');
    await answerWith(page, `<think>\n${THOUGHTS}`);
    await ask(page, 'Capital of France?');
    await answers(page).getByText('There is no answer: the model ended while it was thinking.').waitFor();
    await page.getByRole('status').getByText('There is no answer').waitFor({ state: 'attached' });
    expect(await page.getByRole('button', { name: 'Copy the answer' }).count()).toBe(0);
    expect(await fold(page).innerText()).toBe('Thoughts');
    await picture(page, 'thoughts-only');

    await answerWith(page, `<think>\n${THOUGHTS.repeat(20)}`);
    await ask(page, 'And of Spain?');
    await fold(page).last().getByText('Thinking…').waitFor();
    await page.keyboard.press('Escape');
    await answers(page).last().getByText('There is no answer: the model was still thinking.').waitFor();
    await answers(page).last().getByText('You stopped this answer.').waitFor();
  });

  it('says so when an answer is cut off at the longest that the settings allow', async () => {
    const page = await suite.open('plain');
    await answerWith(page, 'one two three four five six seven eight');
    await page.evaluate(() => window.fake.request('settings.update', { maxAnswerTokens: 3 }));
    await ask(page, 'Count.');
    await answers(page).getByText('The answer was cut off after so many tokens.').waitFor();
    await page.getByRole('status').getByText('The answer was cut off').waitFor({ state: 'attached' });
    await picture(page, 'cut-off');
  });

  it('shows tags that are part of an answer as text', async () => {
    const page = await suite.open('plain');
    await answerWith(page, 'It writes `<think>` first, then <think>this</think>.');
    await ask(page, 'How do you think?');
    await page.getByText(/ tokens · /).waitFor();
    expect(await fold(page).count()).toBe(0);
    expect(await answers(page).innerText()).toContain('It writes <think> first, then <think>this</think>.');
  });
});

describe('versions', () => {
  it('come from answering again and from editing, and can be switched', async () => {
    const page = await suite.open('plain');
    await answerWith(page, 'first answer');
    await ask(page, 'Original');
    await answers(page).getByText('first answer').waitFor();
    await answerWith(page, 'second answer');
    await page.getByRole('button', { name: 'Answer again' }).click();
    await answers(page).getByText('second answer').waitFor();
    await page.getByText('2/2').waitFor();
    await page.getByRole('button', { name: 'Previous version of this answer' }).click();
    await answers(page).getByText('first answer').waitFor();
    expect(await answers(page).getByText('second answer').count()).toBe(0);

    await answerWith(page, 'third answer');
    await composer(page).press('ArrowUp');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Reworded');
    await page.keyboard.press('Enter');
    await answers(page).getByText('third answer').waitFor();
    expect(await page.getByRole('article', { name: 'You asked' }).innerText()).toContain('Reworded');
    await page.getByRole('button', { name: 'Previous version of this question' }).click();
    await page.getByText('Original', { exact: true }).first().waitFor();
    await answers(page).getByText('second answer').waitFor(); // the newest below that question
  });

  it('an edit is left with Escape without stopping or asking', async () => {
    const page = await suite.open('plain');
    await openConversation(page, 'Names for a small grey cat');
    await composer(page).press('ArrowUp');
    await page.keyboard.type(' more');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Edit the question' }).waitFor();
    expect(await requests(page, 'chat.send')).toEqual([]);
  });
});

describe('the list of conversations', () => {
  it('is searched, and Ctrl+K goes there', async () => {
    const page = await suite.open('plain');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('sourdough');
    await page.getByRole('navigation').getByText('Names for a small grey cat').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sourdough that does not collapse' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('nothing like this');
    await page.getByText('Nothing found for').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('navigation').getByText('Names for a small grey cat').waitFor();
  });

  it('has the cursor by the key after Ctrl+K, also where it was hidden', async () => {
    for (const viewport of [
      { width: 1180, height: 800 },
      { width: 480, height: 800 },
    ]) {
      const page = await suite.open('plain', { viewport });
      const focused = await page.evaluate(async () => {
        document.activeElement!.dispatchEvent(
          new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }),
        );
        await new Promise((resolve) => setTimeout(resolve)); // the next key is a task of its own
        return (document.activeElement as HTMLInputElement).type;
      });
      expect(focused).toBe('search');
    }
  });

  it('renames in place; Escape keeps the old title', async () => {
    const page = await suite.open('plain');
    const list = page.getByRole('navigation');
    await list.getByText('Names for a small grey cat').dblclick();
    await page.keyboard.type('Cat names');
    await page.keyboard.press('Enter');
    await list.getByText('Cat names').waitFor();
    await list.getByText('Cat names').hover();
    await page.getByRole('button', { name: 'Rename Cat names' }).click();
    await page.keyboard.type('Dog names');
    await page.keyboard.press('Escape');
    await list.getByText('Cat names').waitFor();
    expect(await requests(page, 'conversations.rename')).toHaveLength(1);
  });

  it('deletes with a way back', async () => {
    const page = await suite.open('plain');
    const row = page.getByRole('navigation').getByRole('button', { name: 'Names for a small grey cat', exact: true });
    await openConversation(page, 'Names for a small grey cat');
    await page.getByRole('button', { name: 'Delete Names for a small grey cat' }).click();
    await row.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'What shall we put to the experts?' }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.waitFor();
    expect(await requests(page, 'conversations.delete')).toEqual([]);
  });

  it('shows a long title whole in a tooltip only', async () => {
    const page = await suite.open('long');
    const row = page.getByRole('navigation').getByTitle(/^An exceedingly long conversation title/);
    const box = await row.boundingBox();
    expect(box!.height).toBeLessThan(45);
    expect(box!.x + box!.width).toBeLessThanOrEqual(281);
  });
});

describe('models', () => {
  it('are listed with size, experts and quantisation, and say why one cannot be used', async () => {
    const page = await suite.open('error');
    await page.getByRole('button', { name: /Qwen3-30B/ }).click();
    const panel = page.getByRole('dialog', { name: 'Library' });
    await panel.getByText('17.3 GiB · 128 experts, 8 used · Q4_K · 30.5 B params').waitFor();
    await panel.getByText('tiny demonstration model').waitFor();
    await panel.getByText('Its file is gone or has changed').waitFor();
    await panel.getByText(/This kind of model cannot be run yet.*mamba/).waitFor();
    expect(await panel.getByRole('button', { name: /^mamba/ }).isDisabled()).toBe(true);
    await panel.getByRole('button', { name: /^Conclave Tiny/ }).click();
    expect(await requests(page, 'library.select')).toEqual([{ modelId: 'tiny' }]);
    expect(await panel.count()).toBe(0);
  });

  it('come in by a typed path where there is no dialog, and a bad one says what is wrong', async () => {
    const page = await suite.open('none');
    await page.getByText('First bring a model.').waitFor();
    await page.getByRole('button', { name: 'Import a model' }).click();
    const path = page.getByLabel('Path of a GGUF file on this computer');
    await path.fill('"/models/broken.gguf"');
    await page.keyboard.press('Enter');
    await page.getByText('This is not a GGUF model file').waitFor();
    await path.fill('/models/my model.gguf');
    await page.keyboard.press('Enter');
    await page
      .getByRole('button', { name: /my model/ })
      .first()
      .waitFor();
    expect(await requests(page, 'library.import')).toEqual([{ path: '/models/broken.gguf' }, { path: '/models/my model.gguf' }]);
  });

  it('come in by a drop anywhere, with an overlay and progress', async () => {
    const page = await suite.open('none');
    const drag = (type: string) =>
      page.evaluate((name) => {
        const data = new DataTransfer();
        data.items.add(new File(['x'.repeat(1000)], 'Dropped Model.gguf'));
        document.body.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
      }, type);
    await drag('dragenter');
    await page.getByText('Drop to bring in a model').waitFor();
    await drag('dragleave');
    await page.getByText('Drop to bring in a model').waitFor({ state: 'detached' });
    await drag('dragenter');
    await drag('dragover');
    await drag('drop');
    await page.getByText(/Copying Dropped Model.gguf, \d+ bytes of/).waitFor();
    await page
      .getByRole('button', { name: /Dropped Model/ })
      .first()
      .waitFor();
    expect(await page.getByText('Drop to bring in a model').count()).toBe(0);
    expect(await requests(page, 'library.import')).toEqual([{ path: '/dropped/Dropped Model.gguf' }]);
  });
});

describe('trouble', () => {
  it('is told on the answer, with what to do', async () => {
    const page = await suite.open('device-lost');
    await ask(page, 'Will this end?');
    const failed = answers(page).getByRole('group', { name: 'This answer failed' });
    await failed.getByText('The connection to the graphics adapter was lost').waitFor();
    await page.getByRole('alert').getByText('The connection to the graphics adapter was lost').waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' }); // the engine comes back
    await failed.getByRole('button', { name: 'Answer again' }).click();
    await page.getByText('2/2').waitFor();
  });

  it('that passes is told while it lasts, and the answer goes on', async () => {
    const page = await suite.open('device-reset');
    await ask(page, 'Will this go on?');
    const told = page.getByText('The graphics device was reset, going on …');
    await told.waitFor();
    await told.waitFor({ state: 'detached' });
    expect(await answers(page).getByRole('group', { name: 'This answer failed' }).count()).toBe(0);
  });

  it('shows interrupted and stopped answers and turns that were left out', async () => {
    const page = await suite.open('error');
    await openConversation(page, 'When things go wrong');
    await page.getByText('This answer was interrupted').waitFor();
    await page.getByText('You stopped this answer.').waitFor();
    await page.getByText('3 earlier turns no longer fit into the context and were left out of this answer.').waitFor();
    await page.getByRole('alert').getByText('The model does not fit into memory').waitFor();
  });

  it('says that software rendering is slow, and why this host runs', async () => {
    const page = await suite.open('empty');
    await page.getByText('Software rendering: only small models are practical').waitFor();
    await page.getByText('Electron could not be downloaded, so Conclave runs in your browser.').waitFor();
  });
});

describe('settings', () => {
  it('change the theme at once and are kept', async () => {
    const page = await suite.open('plain');
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    expect(await theme()).toBe('light');
    await page.keyboard.press('Control+,');
    await page.getByText('Dark', { exact: true }).click();
    expect(await theme()).toBe('dark');
    await page.getByText('/home/ada/.config/conclave').waitFor();
    await page.getByLabel('Top-k').fill('999');
    await page.keyboard.press('Tab');
    await page.getByText('Top-k is a whole number from 0 to 256; “999” is not.').waitFor();
    await page.getByLabel('Top-k').fill('20');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await requests(page, 'settings.update')).toEqual([{ theme: 'dark' }, { topK: 20 }]);
  });

  it('follow the system’s theme until told otherwise', async () => {
    const page = await suite.open('plain', { colorScheme: 'dark' });
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.locator('html[data-theme="light"]').waitFor();
  });
});

it('starts a new chat by the keys and puts the cursor into the composer', async () => {
  const page = await suite.open('plain');
  for (const keys of ['Control+n', 'Control+Shift+O']) {
    await openConversation(page, 'Names for a small grey cat');
    await page.getByRole('button', { name: 'Copy the answer' }).focus();
    await page.keyboard.press(keys);
    await page.getByRole('heading', { name: 'What shall we put to the experts?' }).waitFor();
    expect(await composer(page).evaluate((area) => area === document.activeElement)).toBe(true);
  }
});

it('follows the end of an answer until the reader scrolls up', async () => {
  const page = await suite.open('plain', { viewport: { width: 1000, height: 560 } });
  await ask(page, 'A long one, please: how do mixture-of-experts models decide, in detail?');
  const place = () =>
    page
      .locator('.scroller')
      .evaluate((view) => ({ top: view.scrollTop, toEnd: view.scrollHeight - view.clientHeight - view.scrollTop }));
  await page.getByText('export function').waitFor();
  await expect.poll(async () => (await place()).toEnd).toBeLessThan(40);
  await page.mouse.move(500, 250);
  await page.mouse.wheel(0, -120);
  await page.getByRole('button', { name: 'Go to the end' }).waitFor();
  const { top } = await place();
  await page.waitForTimeout(400);
  expect(Math.abs((await place()).top - top)).toBeLessThan(2);
  await page.getByRole('button', { name: 'Go to the end' }).click();
  await expect.poll(async () => (await place()).toEnd).toBeLessThan(40);
});

it('copies code and answers', async () => {
  const page = await suite.open('plain');
  await openConversation(page, 'How mixture-of-experts models work');
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  expect(await clipboard()).toMatch(/^\/\*\* The k best experts[\s\S]*total }\)\);\n}$/);
  await page.getByRole('button', { name: 'Copy the answer' }).click();
  expect(await clipboard()).toContain('## How one token travels');
});
