/** Serves a bundle of TypeScript modules as a page on localhost, where `navigator.gpu` exists. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'vite';
import { wgslText } from '../support/wgsl-text.ts';

export interface PageServer {
  readonly address: string;
  close(): Promise<void>;
}

/** `entry` is the absolute path of the module that the page runs. */
export async function servePage(entry: string): Promise<PageServer> {
  const script = await bundle(entry);
  const server = createServer((request, response) => {
    if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (request.url === '/')
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="/page.js"></script>');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function bundle(entry: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [wgslText()],
    build: {
      write: false,
      minify: false,
      modulePreload: false,
      target: 'chrome120',
      rollupOptions: { input: entry, output: { format: 'es' } },
    },
  });
  const outputs = [result].flat().flatMap((part) => ('output' in part ? part.output : []));
  const chunks = outputs.filter((output) => output.type === 'chunk');
  if (chunks.length !== 1) throw new Error(`${entry} became ${chunks.length} scripts, one was expected`);
  return chunks[0].code;
}
