/** The services over a temporary folder with a fake engine and fake models: what most tests start from. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Channel, RequestOf, ResponseOf } from '../../main/contract/channels.ts';
import type { HostInfo, Message } from '../../main/contract/types.ts';
import type { EngineClient } from '../../main/contract/engine.ts';
import { openBetterSqlite3 } from '../../main/database/better-sqlite3.ts';
import { startDocumentWorker } from '../../main/hosts/node/document-worker.ts';
import type { AnyEvent } from '../../main/event-bus.ts';
import { createServices, type Services, type ServicesOptions } from '../../main/services.ts';
import { FakeEngine, type FakeScenario } from './fake-engine.ts';
import { FakeModelFiles } from './fake-models.ts';
import { ManualClock } from './manual-clock.ts';
import { waitFor } from './wait-for.ts';

/** Counts on over restarts within a test, so that ids stay unique in its database. */
let nIds = 0;

export const testHost = (dataFolder: string): HostInfo => ({
  kind: 'browser',
  version: '0.0.0',
  dataFolder,
  fileDialog: false,
  dropGivesPath: false,
  fallbackReason: null,
});

export interface TestServices<E extends EngineClient = FakeEngine> {
  readonly services: Services;
  readonly engine: E;
  readonly clock: ManualClock;
  readonly files: FakeModelFiles;
  readonly events: AnyEvent[];
  request<C extends Channel>(channel: C, request: RequestOf<C>): Promise<ResponseOf<C>>;
  /** Asks, in a new conversation or below `parentId`. */
  ask(
    text: string,
    where?: { conversationId?: string | null; parentId?: string | null; collectionId?: string | null },
  ): Promise<ResponseOf<'chat.send'>>;
  /** As the database has it. */
  message(conversationId: string, messageId: string): Promise<Message>;
  /** Writes a model file, takes it into the library, chooses it; loaded once the clock has advanced. */
  withModel(name?: string): Promise<string>;
  /** Lets the disk and the clock go on until `isDone` holds. */
  until(isDone: () => boolean, what?: string): Promise<void>;
}

export function testServices(
  dataFolder: string,
  scenario: FakeScenario = 'plain',
  options: Partial<ServicesOptions> = {},
): TestServices {
  const clock = new ManualClock();
  const engine = new FakeEngine(clock, scenario);
  const files = new FakeModelFiles();
  const services = createServices({
    host: testHost(dataFolder),
    engine,
    files,
    openConnection: openBetterSqlite3,
    builtInModelsFolder: null,
    startDocumentWorker,
    clock,
    newId: () => `id-${++nIds}`,
    newSeed: () => 7,
    ...options,
  });
  const events: AnyEvent[] = [];
  services.on((event) => events.push(event));
  const request = <C extends Channel>(channel: C, payload: RequestOf<C>) =>
    services.handle(channel, payload) as Promise<ResponseOf<C>>;
  const until = (isDone: () => boolean, what = 'it') =>
    waitFor(isDone, () => `${what} (the last events: ${JSON.stringify(events.slice(-3))})`, clock);
  return {
    services,
    engine,
    clock,
    files,
    events,
    request,
    until,
    ask: (text, where) => request('chat.send', { conversationId: null, parentId: null, collectionId: null, ...where, text }),
    async message(conversationId, messageId) {
      const { messages } = await request('conversations.get', { conversationId });
      return messages.find((message) => message.id === messageId)!;
    },
    async withModel(name = 'model') {
      const folder = path.join(dataFolder, 'elsewhere');
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, `${name}.gguf`), 'GGUF fake');
      const { id } = await request('library.import', { path: path.join(folder, `${name}.gguf`) });
      await request('library.select', { modelId: id });
      return id;
    },
  };
}

export const finishedEvents = (events: readonly AnyEvent[]) =>
  events.flatMap((event) => (event.name === 'answer.finished' ? [event.payload] : []));
