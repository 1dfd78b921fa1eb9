/** The small pure parts: scrolling, drafts, date groups, figures, announcements. */
import { describe, expect, it } from 'vitest';
import { Announcer } from './announcer.ts';
import { ManualClock } from './clock.ts';
import { groupByDate } from './date-groups.ts';
import { Drafts } from './drafts.ts';
import { formatBytes, formatExperts, formatParameters, formatSpeed, percent } from './format.ts';
import { Pacer } from './pacer.ts';
import { StickToBottom } from './stick-to-bottom.ts';

describe('StickToBottom', () => {
  const at = (scrollTop: number, scrollHeight = 1000) => ({ scrollTop, clientHeight: 400, scrollHeight });

  it('follows growth until the reader scrolls up, and again at the end', () => {
    const stick = new StickToBottom();
    stick.scrolled(at(600));
    expect(stick.resized(at(600, 1200))).toBe(800);
    stick.scrolled(at(800, 1200));
    stick.scrolled(at(700, 1200));
    expect(stick.following).toBe(false);
    expect(stick.resized(at(700, 1400))).toBeNull();
    stick.scrolled(at(990, 1400));
    expect(stick.following).toBe(true);
  });

  it('does not take growth for the reader scrolling up', () => {
    const stick = new StickToBottom();
    stick.scrolled(at(600));
    stick.scrolled(at(600, 3000));
    expect(stick.following).toBe(true);
  });

  it('does not take shrinking content for the reader scrolling up', () => {
    const stick = new StickToBottom();
    stick.scrolled(at(600));
    stick.scrolled(at(300, 700));
    expect(stick.following).toBe(true);
  });

  it('follows again when asked', () => {
    const stick = new StickToBottom();
    stick.scrolled(at(600));
    stick.scrolled(at(100));
    stick.follow();
    expect(stick.resized(at(100))).toBe(600);
  });
});

describe('Drafts', () => {
  const memory = () => {
    const entries = new Map<string, string>();
    return {
      getItem: (key: string) => entries.get(key) ?? null,
      setItem: (key: string, value: string) => void entries.set(key, value),
    };
  };

  it('keeps a text per conversation and one for a new one, through a reload', () => {
    const storage = memory();
    const drafts = new Drafts(storage);
    drafts.set('a', 'for a');
    drafts.set(null, 'for a new one');
    drafts.set('b', 'gone');
    drafts.set('b', '');
    const again = new Drafts(storage);
    expect([again.get('a'), again.get('b'), again.get(null)]).toEqual(['for a', '', 'for a new one']);
  });

  it('works with damaged, full or no storage', () => {
    const broken = {
      getItem: () => '{not json',
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    };
    for (const storage of [broken, null]) {
      const drafts = new Drafts(storage);
      drafts.set('a', 'kept');
      expect(drafts.get('a')).toBe('kept');
    }
  });
});

describe('groupByDate', () => {
  const now = new Date(2025, 2, 31, 9, 0).getTime();
  const row = (id: string, updatedAtMs: number) => ({ id, title: id, createdAtMs: 0, updatedAtMs });

  it('groups by calendar day, then month', () => {
    const rows = [
      row('a', new Date(2025, 2, 31, 0, 1).getTime()),
      row('b', new Date(2025, 2, 30, 23, 59).getTime()),
      row('c', new Date(2025, 2, 25).getTime()),
      row('d', new Date(2025, 2, 3).getTime()),
      row('e', new Date(2025, 0, 15).getTime()),
      row('f', new Date(2024, 0, 15).getTime()),
    ];
    expect(groupByDate(rows, now).map(({ label, conversations }) => [label, conversations.map(({ id }) => id).join()])).toEqual([
      ['Today', 'a'],
      ['Yesterday', 'b'],
      ['Previous 7 days', 'c'],
      ['Previous 30 days', 'd'],
      ['January', 'e'],
      ['January 2024', 'f'],
    ]);
  });
});

describe('figures', () => {
  it('are what people read', () => {
    expect([0, 999, 1536, 18_556_689_568, 150 * 1024 ** 2].map(formatBytes)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.5 KiB',
      '17.3 GiB',
      '150 MiB',
    ]);
    expect([135_000_000, 30_532_122_624, 2e9].map(formatParameters)).toEqual(['135 M params', '30.5 B params', '2 B params']);
    expect([formatExperts(128, 8), formatExperts(0, 0)]).toEqual(['128 experts, 8 used', 'dense']);
    expect([formatSpeed(1, 100), formatSpeed(50, 1000), formatSpeed(5, 2000)]).toEqual([null, '50 tokens/s', '2.5 tokens/s']);
    expect([percent(0, 0), percent(999, 1000), percent(5, 4)]).toEqual([0, 99, 100]);
  });
});

describe('Pacer', () => {
  it('rests after a drawing that took long, and not after a quick one', async () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock);
    await clock.advance(16);
    pacer.drew(0);
    expect(pacer.waitMs()).toBe(0);
    await clock.advance(124);
    pacer.drew(16);
    expect(pacer.waitMs()).toBe(300);
    await clock.advance(299);
    expect(pacer.waitMs()).toBe(1);
  });
});

describe('Announcer', () => {
  it('offers whole sentences at intervals and the rest at the end', async () => {
    const clock = new ManualClock();
    const announcer = new Announcer(clock);
    announcer.streamed('a', 'First one. Sec');
    expect(announcer.value).toBe('');
    await clock.advance(3000);
    announcer.streamed('a', 'First one. Second **bold** one. Thi');
    await clock.advance(1000);
    expect(announcer.value).toBe('First one. Second bold one.');
    announcer.finished('a', 'First one. Second **bold** one. Third.', 'End of the answer.');
    expect(announcer.value).toBe('Third. End of the answer.');
    await clock.advance(10_000);
    expect(announcer.value).toBe('Third. End of the answer.');
  });

  it('says once that the model thinks, then the answer', async () => {
    const clock = new ManualClock();
    const announcer = new Announcer(clock);
    announcer.thinking('a');
    expect(announcer.value).toBe('The model is thinking.');
    announcer.say('A document was added.');
    announcer.thinking('a');
    expect(announcer.value).toBe('A document was added.');
    announcer.streamed('a', 'First one. Sec');
    await clock.advance(4000);
    expect(announcer.value).toBe('First one.');
  });

  it('reads an answer from its beginning where thoughts were taken for it', async () => {
    const clock = new ManualClock();
    const announcer = new Announcer(clock);
    announcer.streamed('a', 'It asks for a capital. So ');
    await clock.advance(4000);
    announcer.streamed('a', 'Paris. An');
    await clock.advance(4000);
    expect(announcer.value).toBe('Paris.');
  });
});
