/**
 * Who may talk to the browser host: a page of ours, in a browser that was opened with a start link. A link works once and becomes a
 * session cookie. Other sites in the same browser can neither read the cookie nor get past the checks of Host and Origin; other
 * programs on the machine do not have the token.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const TOKEN_BYTES = 32;
/** Links that were made and not used; the oldest are forgotten. */
const MOST_LINKS = 8;

export class Access {
  readonly #origin: string;
  readonly #host: string;
  readonly #cookieName: string;
  #startTokens: string[] = [];
  readonly #sessions = new Set<string>();

  /** `port` names the cookie too: cookies do not tell ports apart, and two hosts may run. */
  constructor(port: number) {
    this.#host = `127.0.0.1:${port}`;
    this.#origin = `http://${this.#host}`;
    this.#cookieName = `conclave-${port}`;
  }

  get origin(): string {
    return this.#origin;
  }

  /** A link that works once. */
  newStartUrl(): string {
    const token = newToken();
    this.#startTokens = [...this.#startTokens, token].slice(-MOST_LINKS);
    return `${this.#origin}/start?token=${token}`;
  }

  /** The `Set-Cookie` header for a link's token, or null when it is wrong or was used. */
  redeem(token: string): string | null {
    const found = this.#startTokens.find((known) => isSame(known, token));
    if (found === undefined) return null;
    this.#startTokens = this.#startTokens.filter((known) => known !== found);
    const session = newToken();
    this.#sessions.add(session);
    return `${this.#cookieName}=${session}; Path=/; HttpOnly; SameSite=Strict`;
  }

  hasSession(request: IncomingMessage): boolean {
    const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
    const [, session] = cookies.find(([name]) => name === this.#cookieName) ?? [];
    return session !== undefined && [...this.#sessions].some((known) => isSame(known, session));
  }

  /** Asked for under this very address: a name that was pointed at 127.0.0.1 by someone else's DNS is not. */
  hasOurHost(request: IncomingMessage): boolean {
    return request.headers.host === this.#host;
  }

  /** What changes something must come from our page; browsers always say so in a POST. */
  hasOurOrigin(request: IncomingMessage): boolean {
    return request.headers.origin === this.#origin;
  }

  /** What only reads may come without an Origin, but never from another site. */
  isNotForeign(request: IncomingMessage): boolean {
    const { origin } = request.headers;
    const site = request.headers['sec-fetch-site'];
    return (origin === undefined || origin === this.#origin) && (site === undefined || site === 'same-origin' || site === 'none');
  }
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('hex');
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
