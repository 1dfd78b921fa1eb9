/** What the browser host answers, with the headers that every answer has. */
import type { ServerResponse } from 'node:http';
import { toWireError, type ErrorCode } from '../../contract/errors.ts';
import { PAGE_HEADERS, PAGE_POLICY } from '../page-headers.ts';

const ALWAYS: Readonly<Record<string, string>> = {
  ...PAGE_HEADERS,
  'Content-Security-Policy': PAGE_POLICY,
  'X-Frame-Options': 'DENY',
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
