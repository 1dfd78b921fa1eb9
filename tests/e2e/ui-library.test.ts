/** The Library's screen over the scripted client. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { violations } from './measure-page.ts';
import { pageSuite, requests } from './ui-harness.ts';

const suite = pageSuite();

async function openLibrary(page: Page): Promise<void> {
  const show = page.getByRole('button', { name: 'Show the sidebar' });
  if (await show.isVisible()) await show.click();
  await page.getByRole('button', { name: 'Library', exact: true }).click();
  await page.getByRole('list', { name: 'Catalogue' }).waitFor();
}

const here = (page: Page) => page.getByRole('list', { name: 'Models on this computer' }).locator('> li');
const downloads = (page: Page) => page.getByRole('list', { name: 'Downloads' }).locator('> li');
const address = (page: Page) => page.getByLabel('From an address');

describe('on this computer', () => {
  it('models say what they are; the one that comes with the app is labelled plainly', async () => {
    const page = await suite.open('library');
    await openLibrary(page);
    expect(await here(page).count()).toBe(4);
    await here(page).nth(0).getByText('17.3 GiB · 30.5 B params · 128 experts, 8 used · Q4_K').waitFor();
    await here(page).nth(0).getByText('In use').waitFor();
    await here(page).nth(1).getByText('Its file is gone or has changed.').waitFor();
    await here(page).nth(2).getByText('This kind of model cannot be run yet.').waitFor();
    const tiny = here(page).nth(3);
    await tiny.getByText('A tiny demonstration model').waitFor();
    expect(await tiny.getByRole('button', { name: /^Remove/ }).count()).toBe(0);
    await tiny.getByRole('button', { name: 'Use Conclave Tiny' }).click();
    expect(await requests(page, 'library.select')).toEqual([{ modelId: 'tiny' }]);
    await tiny.getByText('In use').waitFor();
  });

  it('details open and close, and say why they cannot', async () => {
    const page = await suite.open('library');
    await openLibrary(page);
    const button = page.getByRole('button', { name: /^Details of Qwen3/ });
    await button.click();
    const panel = page.getByRole('group', { name: 'Details' });
    for (const text of ['qwen3moe, GGUF version 3', '128 in a layer, 8 used', 'Q4_K (13.2 GiB in 265 tensors)', 'apache-2.0'])
      await panel.getByText(text).waitFor();
    await panel.getByText('Chat template').click();
    await panel.getByText('<|im_start|>').waitFor();
    await button.click();
    expect(await panel.count()).toBe(0);
    await page.getByRole('button', { name: /^Details of OLMoE/ }).click();
    await panel.getByRole('alert').getByText('is not there any more').waitFor();
  });

  it('asks before it removes, and says what becomes of the file', async () => {
    const page = await suite.open('library');
    await openLibrary(page);
    await page.getByRole('button', { name: /^Remove Qwen3/ }).click();
    await page.getByText('Its file stays at /home/ada/Models').waitFor();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect(await requests(page, 'library.remove')).toEqual([]);
    await page.getByRole('button', { name: /^Remove Qwen3/ }).click();
    await page.getByRole('button', { name: 'Take off the list' }).click();
    await expect.poll(() => here(page).count()).toBe(3);
  });

  it('an import shows itself here, not in the quick switch', async () => {
    const page = await suite.open('none');
    await openLibrary(page);
    await page.getByText('No models yet.').waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['x'.repeat(1000)], 'Dropped Model.gguf'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await page.getByText(/Copying Dropped Model.gguf/).waitFor();
    await here(page).getByText('Dropped Model').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

describe('downloads', () => {
  it('from the catalogue: asked for by a button only, with progress, and then a model that can be used', async () => {
    const page = await suite.open('plain');
    await openLibrary(page);
    expect(await requests(page, 'downloads.start')).toEqual([]);
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'OLMoE 1B-7B 0125 Instruct' }) });
    await card.getByText('6.9 B params, 1 B active · 64 experts, 8 used · 4,096 tokens of context').waitFor();
    await card.getByText('Apache-2.0').waitFor();
    await page.getByRole('button', { name: 'Download OLMoE 1B-7B 0125 Instruct Q4_K_M' }).click();
    expect(await requests(page, 'downloads.start')).toEqual([
      { source: { kind: 'catalogue', entryId: 'olmoe', fileName: 'OLMoE-1B-7B-0125-Instruct-Q4_K_M.gguf' } },
    ]);
    await card.getByText('On its way').waitFor();
    await downloads(page)
      .getByText(/Comes from huggingface.co · .* of 3.9 GiB · .*\/s · less than a minute left/)
      .waitFor();
    await downloads(page).getByText('Checked against the SHA-256 in the catalogue.').waitFor();
    await page.getByText('A model has arrived in the Library').waitFor();
    await page.getByRole('button', { name: 'Use it' }).click();
    await here(page).filter({ hasText: 'OLMoE 1B-7B 0125 Instruct Q4_K_M' }).getByText('In use').waitFor();
    await page.getByRole('button', { name: 'Remove OLMoE 1B-7B 0125 Instruct Q4_K_M' }).click();
    await page.getByText('The file is Conclave’s own copy').waitFor();
    await page.getByRole('button', { name: 'Back to the chat' }).click();
    await page.getByRole('button', { name: /^OLMoE 1B-7B 0125 Instruct Q4_K_M/ }).click();
    const panel = page.getByRole('dialog', { name: 'Library' });
    await panel.getByRole('button', { name: /^Take Qwen3.* off the list$/ }).waitFor();
    expect(await panel.getByRole('button', { name: /^Take OLMoE.* off the list$/ }).count()).toBe(0);
  });

  it('are paused, resumed, tried again and cancelled', async () => {
    const page = await suite.open('library');
    await openLibrary(page);
    expect(await downloads(page).count()).toBe(4);
    await page.getByRole('button', { name: 'Pause OLMoE' }).click();
    await downloads(page).nth(0).getByText('Paused · ').waitFor();
    await page.getByRole('button', { name: 'Resume OLMoE' }).click();
    await downloads(page).nth(1).getByText('The next try follows by itself.').waitFor();
    const failed = downloads(page).filter({ hasText: 'granite' });
    await failed.getByRole('alert').getByText('The checksum is wrong.').waitFor();
    await failed.getByRole('button', { name: /^Try again granite/ }).click();
    await failed.getByText('Checked against the SHA-256').waitFor();
    await page.getByRole('button', { name: 'Cancel my-mixture' }).click();
    await expect.poll(() => downloads(page).filter({ hasText: 'my-mixture' }).count()).toBe(0);
    const ids = async (channel: string) => requests(page, `downloads.${channel}`);
    expect([await ids('pause'), await ids('resume'), await ids('cancel')]).toEqual([
      [{ downloadId: 'running' }],
      [{ downloadId: 'running' }, { downloadId: 'failed' }],
      [{ downloadId: 'paused' }],
    ]);
  });

  it('from an address: says whom it will ask, lists a repository, takes a checksum, refuses what is unsafe', async () => {
    const page = await suite.open('plain');
    await openLibrary(page);
    await page.getByText("A repository's files are listed first").waitFor();
    await address(page).fill('http://example.org/model.gguf');
    await page.getByText('Only https is used').waitFor();
    await address(page).fill('allenai/OLMoE-1B-7B-0125-Instruct-GGUF');
    await page.getByText('Asks huggingface.co which GGUF files allenai/OLMoE-1B-7B-0125-Instruct-GGUF has.').waitFor();
    expect(await requests(page, 'library.lookUp')).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByText('25.7 GiB in 2 parts').waitFor();
    await page.getByRole('button', { name: 'Download F32/OLMoE-1B-7B-0125-Instruct-F32.gguf' }).click();
    await address(page).fill('https://models.example.org/a/mixture.gguf');
    await page.getByText('Downloads mixture.gguf from models.example.org.').waitFor();
    await page.getByLabel('SHA-256, if you know it').fill('a'.repeat(64));
    await page.getByLabel('SHA-256, if you know it').press('Enter');
    await downloads(page).getByText('Checked against the SHA-256 that you gave.').waitFor();
    expect(await requests(page, 'downloads.start')).toEqual([
      {
        source: {
          kind: 'hugging-face',
          repository: 'allenai/OLMoE-1B-7B-0125-Instruct-GGUF',
          revision: 'main',
          file: 'F32/OLMoE-1B-7B-0125-Instruct-F32-00001-of-00002.gguf',
        },
      },
      { source: { kind: 'url', url: 'https://models.example.org/a/mixture.gguf', sha256: 'a'.repeat(64) } },
    ]);
    await address(page).fill('someone/gated');
    await page.keyboard.press('Enter');
    await page.getByText('The file is not given to everyone').waitFor();
    await address(page).fill('someone/none');
    await page.keyboard.press('Enter');
    await page.getByText('someone/none has no GGUF models.').waitFor();
  });

  it('offline: the catalogue is there all the same, a question says why it has no answer, a download waits', async () => {
    const page = await suite.open('offline');
    await openLibrary(page);
    await address(page).fill('allenai/OLMoE-1B-7B-0125-Instruct-GGUF');
    await page.keyboard.press('Enter');
    await page.getByText('This computer may be offline.').waitFor();
    await page.getByRole('button', { name: 'Download OLMoE 1B-7B 0125 Instruct Q4_K_M' }).click();
    await downloads(page).getByText('this computer may be offline. The next try follows by itself.').waitFor();
  });
});

it('the catalogue is searched and narrowed; what does not run yet says so', async () => {
  const page = await suite.open('plain');
  await openLibrary(page);
  const cards = page.getByRole('list', { name: 'Catalogue' }).locator('> li');
  expect(await cards.count()).toBe(4);
  await cards.filter({ hasText: 'DeepSeek-V2-Lite Chat' }).getByText('Does not run in Conclave yet.').waitFor();
  await page.getByRole('button', { name: 'Run in Conclave' }).click();
  await page.getByRole('status').getByText('3 models').waitFor();
  await page.getByRole('button', { name: 'Run well here' }).click();
  expect(await cards.count()).toBe(2);
  await page.getByLabel('Search the catalogue').fill('code');
  expect(await cards.count()).toBe(1);
  await page.getByLabel('Search the catalogue').fill('nothing like this');
  await page.getByText('Nothing in the catalogue is like that.').waitFor();
});

it('is a key press away from the quick switch', async () => {
  const page = await suite.open('plain');
  await page.getByRole('button', { name: /Qwen3-30B/ }).click();
  const panel = page.getByRole('dialog', { name: 'Library' });
  await panel.getByRole('heading', { name: 'Library' }).waitFor();
  await panel.getByRole('button', { name: 'Get and manage models in the Library' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Library', level: 1 }).waitFor();
  expect(await panel.count()).toBe(0);
});

it('axe-core finds nothing, in light and dark, wide and at 480 px, and nothing is cut off', async () => {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1180, 480]) {
      const page = await suite.open('library', { colorScheme, viewport: { width, height: 800 } });
      await openLibrary(page);
      await page.getByRole('button', { name: /^Details of Qwen3/ }).click();
      await page.getByText('Chat template').click();
      await page.getByRole('button', { name: /^Remove Qwen3/ }).click();
      await address(page).fill('allenai/OLMoE-1B-7B-0125-Instruct-GGUF');
      await page.keyboard.press('Enter');
      await page.getByText('25.7 GiB in 2 parts').waitFor();
      expect(await violations(page)).toEqual([]);
      const overflow = await page.locator('.scroller').evaluate((view) => view.scrollWidth - view.clientWidth);
      expect(overflow, `${width} px`).toBeLessThanOrEqual(0);
      await page.close();
    }
});
