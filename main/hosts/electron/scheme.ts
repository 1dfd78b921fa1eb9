/**
 * `app://chat/` (the built pages) and `app://engine/` (the engine host's empty page). The scheme is standard and secure, so that pages
 * have an origin and `navigator.gpu`; every answer carries a Content-Security-Policy; nothing outside the page's folder is served.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { asUrl } from '../../contract/as-url.ts';
import { CONTENT_TYPES, PAGE_HEADERS, PAGE_POLICY } from '../page-headers.ts';

export const SCHEME = 'app';
export type PageName = 'chat' | 'engine';

const POLICIES: Readonly<Record<PageName, string>> = {
  chat: PAGE_POLICY,
  engine: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

const ENGINE_PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Conclave engine</title><body></body></html>';

export function pageAddress(page: PageName): string {
  return `${SCHEME}://${page}/`;
}

/** Whether `address` is a page of ours (with `page`, that one). */
export function isOurPage(address: string, page?: PageName): boolean {
  const url = asUrl(address);
  return url?.protocol === `${SCHEME}:` && (page ? url.host === page : Object.hasOwn(POLICIES, url.host));
}

/** Answers a request of the scheme. `folder` holds the built chat page. */
export async function serve(request: { readonly url: string; readonly method: string }, folder: string): Promise<Response> {
  const url = new URL(request.url);
  if (request.method !== 'GET') return new Response(null, { status: 405 });
  if (url.host === 'engine') return page('engine', url.pathname === '/' ? ENGINE_PAGE : null, '.html');
  if (url.host !== 'chat') return new Response(null, { status: 404 });
  const file = fileOf(url.pathname, folder);
  const body = file && (await readFile(file).catch(() => null));
  return page('chat', body, file ? path.extname(file) : '');
}

/** The file a path names, or null when it would lie outside the folder. */
export function fileOf(pathname: string, folder: string): string | null {
  let relative: string;
  try {
    relative = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (relative.includes('\0') || relative.includes('\\')) return null;
  const file = path.resolve(folder, `.${relative === '/' ? '/index.html' : relative}`);
  return file.startsWith(path.resolve(folder) + path.sep) ? file : null;
}

function page(name: PageName, body: string | Uint8Array<ArrayBuffer> | null, extension: string): Response {
  const headers = {
    ...PAGE_HEADERS,
    'content-type': CONTENT_TYPES[extension] ?? 'application/octet-stream',
    'content-security-policy': POLICIES[name],
    'cache-control': 'no-cache',
  };
  return new Response(body, { status: body === null ? 404 : 200, headers });
}
