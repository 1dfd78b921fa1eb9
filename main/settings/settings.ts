/** The settings: defaults in code, what the user changed in the database. A stored value that is no longer allowed counts as not stored. */
import { NOTHING_NAMED } from '../contract/sampling.ts';
import type { Settings } from '../contract/types.ts';
import { validSettings } from '../contract/validators.ts';
import { readSettings, writeSetting } from '../database/settings.ts';
import type { WriteDb } from '../database/handles.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event-bus.ts';

export const DEFAULT_SETTINGS: Settings = {
  theme: 'system',
  selectedModelId: null,
  systemPrompt: '',
  ...NOTHING_NAMED,
  seed: null,
  contextTokens: null,
  kvType: 'f16',
  expertsUsed: null,
  approximateRouting: null,
  gpuBudgetBytes: null,
  ramBudgetBytes: null,
  maxAnswerTokens: 4096,
};

export class SettingsService {
  readonly #db: WriteDb;
  readonly #events: EventBus;
  readonly #clock: Clock;
  #current: Settings;

  constructor(db: WriteDb, events: EventBus, clock: Clock) {
    this.#db = db;
    this.#events = events;
    this.#clock = clock;
    this.#current = { ...DEFAULT_SETTINGS, ...validSettings(readSettings(db)) };
  }

  get current(): Settings {
    return this.#current;
  }

  /** `change` is checked already (validators.ts). */
  update(change: Partial<Settings>): Settings {
    const nowMs = this.#clock.nowMs();
    const entries = Object.entries(change).filter(([, value]) => value !== undefined);
    this.#db.transaction(() => {
      for (const [key, value] of entries) writeSetting(this.#db, key, value, nowMs);
    });
    this.#current = { ...this.#current, ...(Object.fromEntries(entries) as Partial<Settings>) };
    this.#events.emit('settings.changed', this.#current);
    return this.#current;
  }
}
