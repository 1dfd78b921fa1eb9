/** The product's page, built once per file, against the real services, database and HTTP server; only the engine and the model are acted out. */
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { systemClock } from '../../main/clock.ts';
import { startServer, type BrowserHost } from '../../main/hosts/browser/server.ts';
import type { Services } from '../../main/services.ts';
import { FakeEngine } from '../fixtures-services/fake-engine.ts';
import { temporaryFolder } from '../fixtures-services/temporary-folder.ts';
import { testServices } from '../fixtures-services/test-services.ts';
import { findChromium, startChromium } from './chromium.ts';
import { buildPage } from './ui-harness.ts';

export interface RunningHost {
  readonly host: BrowserHost;
  readonly engine: FakeEngine;
  readonly services: Services;
}

export interface HostSuite {
  /** For what a test writes; removed at the end. */
  readonly folder: string;
  readonly browser: () => Browser;
  start(dataFolder: string): Promise<RunningHost>;
  /** Ends every host that was started. */
  stop(): Promise<void>;
}

/** Call once at the top of a file: registers the hooks that build, start and clean up. */
export function hostSuite(): HostSuite {
  const found = findChromium();
  const folder = temporaryFolder();
  const pageFolder = path.join(folder.path, 'page');
  const running: RunningHost[] = [];
  let browser: Browser;

  const stop = async (): Promise<void> => {
    for (const { host, services } of running.splice(0)) {
      await host.close();
      await services.close();
    }
  };
  beforeAll(async () => {
    if ('missing' in found) return;
    await buildPage('production', pageFolder);
    browser = await startChromium(found);
  });
  beforeEach((context) => {
    if ('missing' in found) context.skip(found.missing);
  });
  afterAll(async () => {
    await browser?.close();
    await stop();
    folder.remove();
  });

  return {
    folder: folder.path,
    browser: () => browser,
    async start(dataFolder) {
      const engine = new FakeEngine(systemClock, 'plain');
      const { services } = testServices(dataFolder, 'plain', { engine, clock: systemClock });
      const host = await startServer(services, pageFolder);
      running.push({ host, engine, services });
      return { host, engine, services };
    },
    stop,
  };
}

/** Drops a file on the page that the host takes for a model. */
export async function dropModel(page: Page, name: string): Promise<void> {
  await page.evaluate((given) => {
    const data = new DataTransfer();
    data.items.add(new File(['GGUF fake'], given));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, name);
}
