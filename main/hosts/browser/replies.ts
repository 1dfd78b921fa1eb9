/** What the browser host answers, with the headers that every answer has. */
import type { ServerResponse } from 'node:http';
import { toWireError, type ErrorCode } from '../../contract/errors.ts';

/** The page needs its own scripts, styles, images and this host, nothing else. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ALWAYS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  // Else Chromium looks up the hosts of an answer's links, which a model chose, before anybody clicks.
  'X-DNS-Prefetch-Control': 'off',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), hid=()',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

export function reply(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...ALWAYS, 'Content-Type': type, ...headers });
  response.end(body);
}

export function beginReply(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { ...ALWAYS, ...headers });
}

export function replyText(response: ServerResponse, status: number, text: string): void {
  reply(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

export function redirect(response: ServerResponse, location: string, headers: Readonly<Record<string, string>> = {}): void {
  reply(response, 303, 'text/plain; charset=utf-8', '', { Location: location, ...headers });
}

export function replyValue(response: ServerResponse, value: unknown): void {
  reply(response, 200, 'application/json', JSON.stringify({ ok: true, value }));
}

export function replyError(response: ServerResponse, error: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const wire = toWireError(error);
  reply(response, statusOf(wire.code), 'application/json', JSON.stringify({ ok: false, error: wire }), headers);
}

function statusOf(code: ErrorCode): number {
  if (code === 'request.refused') return 403;
  if (code === 'request.unknown' || code.endsWith('.missing')) return 404;
  if (code === 'internal') return 500;
  return code === 'data.disk-full' ? 507 : 400;
}
