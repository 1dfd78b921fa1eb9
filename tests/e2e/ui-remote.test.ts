/** Servers in the page: adding and testing one, choosing its model, the host in plain sight, and consent before documents leave. */
import { describe, expect, it } from 'vitest';
import { seriousViolations } from './measure-page.ts';
import { ask, openConversation, pageSuite, picture, requests } from './ui-harness.ts';

const suite = pageSuite();
const SECRET = 'sk-ui-0123456789';

describe('a server', () => {
  it('is added, tested and its model chosen with the keyboard; the key goes in once and is nowhere after', async () => {
    const page = await suite.open('plain');
    await page.keyboard.press('Control+,');
    const settings = page.getByRole('dialog', { name: 'Settings' });
    await settings.getByRole('button', { name: 'Add a server…' }).press('Enter');
    await page.keyboard.type('llm.example.net');
    await page.keyboard.press('Enter');
    await settings.getByRole('alert').getByText('is not the address of a server').waitFor();
    const address = settings.getByRole('textbox', { name: 'Address' });
    await address.fill('https://llm.example.net');
    await settings.getByLabel('Key', { exact: true }).fill(SECRET);
    await address.press('Enter');
    const card = settings.getByRole('article', { name: 'llm.example.net' });
    await card.waitFor();
    expect(await requests(page, 'remote.test')).toEqual([]);
    await card.getByRole('button', { name: 'Test connection' }).press('Enter');
    await card.getByText('It answers.').waitFor();
    await card.getByRole('checkbox', { name: /gpt-oss-120b/ }).press('Space');
    await expect.poll(() => requests(page, 'remote.addModel')).toHaveLength(1);
    expect(await page.content()).not.toContain(SECRET);
    expect(await page.evaluate(() => JSON.stringify(window.fake.log.map(({ channel }) => channel)))).toContain('remote.save');
    await picture(page, 'settings-servers');
    await page.keyboard.press('Escape');
    await page.locator('.picker .current').press('Enter');
    await page.getByRole('button', { name: /gpt-oss-120b/ }).press('Enter');
    await page.getByRole('banner').or(page.locator('main header')).first().getByText('llm.example.net').waitFor();
    await page.getByText('what you ask is sent to llm.example.net').waitFor();
    await ask(page, 'Hello');
    const answer = page.getByRole('article', { name: 'Answer' });
    await answer.getByText('gpt-oss-120b').waitFor();
    await answer.getByText('llm.example.net').waitFor();
  });

  it('that cannot be reached says why; one without encryption is marked', async () => {
    const page = await suite.open('remote');
    await page.keyboard.press('Control+,');
    const card = page.getByRole('article', { name: 'The box under the desk' });
    await card.getByText('Not encrypted').waitFor();
    await card.getByRole('button', { name: 'Test connection' }).click();
    await card.getByText('Nothing answers at gpu-box.local:8080').waitFor();
    await card.getByRole('button', { name: 'Remove The box under the desk' }).click();
    await card.waitFor({ state: 'detached' });
  });
});

describe('a conversation with a server', () => {
  it('names the host in its header and at its answers, and asks before documents leave', async () => {
    const page = await suite.open('remote');
    await openConversation(page, 'Asked of a larger machine');
    await page.locator('main header').getByText('llm.example.org').waitFor();
    const [first, second] = await page.getByRole('article', { name: 'Answer' }).all();
    expect(await first.locator('.by').innerText()).toContain('llm.example.org');
    expect(await second.locator('.by').innerText()).not.toContain('llm.example.org');
    const consent = page.getByRole('group', { name: 'Text of your documents would be sent' });
    await consent.getByText('The tenant may end the lease').waitFor();
    await consent.getByText('Lease 2024.pdf, page 7').waitFor();
    await picture(page, 'consent');
    expect([await requests(page, 'remote.consent'), await requests(page, 'chat.regenerate')]).toEqual([[], []]);
    await consent.getByRole('button', { name: 'Send this to llm.example.org' }).press('Enter');
    await expect.poll(() => requests(page, 'chat.regenerate')).toHaveLength(1);
    expect(await requests(page, 'remote.consent')).toEqual([{ answerId: 'c-remote-a2' }]);
  });

  it('still names the host after another model was chosen', async () => {
    const page = await suite.open('remote');
    await openConversation(page, 'Asked of a larger machine');
    await page.locator('.picker .current').click();
    await page.locator('.picker .entry').first().click();
    await page
      .locator('main header')
      .getByTitle('Answers in this conversation were written by the server llm.example.org.')
      .waitFor();
  });
});

for (const colorScheme of ['light', 'dark'] as const)
  it(`has no serious violation in ${colorScheme}, nor scrolls sideways at 480 px`, async () => {
    const found: string[] = [];
    for (const width of [1180, 480]) {
      const page = await suite.open('remote', { colorScheme, viewport: { width, height: 900 } });
      const check = async (where: string): Promise<void> => {
        await picture(page, `${where}-${colorScheme}-${width}`);
        found.push(...(await seriousViolations(page)).map((line) => `${where} ${width}: ${line}`));
        const sideways = await page.evaluate(() =>
          [...document.querySelectorAll('html, body, .scroller, .content, dialog .body')].map(
            (box) => box.scrollWidth - box.clientWidth,
          ),
        );
        expect(
          sideways.filter((excess) => excess > 0),
          `${where} ${width}`,
        ).toEqual([]);
      };
      await check('empty');
      await openConversation(page, 'Asked of a larger machine');
      await check('conversation');
      await page.locator('.picker .current').click();
      await check('picker');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+,');
      const card = page.getByRole('article', { name: 'Office vLLM' });
      await card.getByRole('button', { name: 'Test connection' }).click();
      await card.getByText('It answers.').waitFor();
      await page
        .getByRole('article', { name: 'The box under the desk' })
        .getByRole('button', { name: 'Test connection' })
        .click();
      await page.getByText('Nothing answers at').waitFor();
      await card.scrollIntoViewIfNeeded();
      await check('servers');
      await page.getByRole('button', { name: 'Add a server…' }).click();
      await check('form');
    }
    expect(found).toEqual([]);
  });
