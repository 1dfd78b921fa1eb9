/**
 * Text of the user's documents leaves this computer only after they saw it and said so. Allowed is exactly that text to exactly that
 * origin, until the app ends; passages that were allowed before are not asked for again.
 */
import { createHash } from 'node:crypto';
import { serviceError } from '../contract/errors.ts';
import type { OutgoingPassage } from '../contract/remote.ts';
import type { ServerAddress } from './address.ts';

/** Questions that wait for an answer of the user; the oldest are forgotten. */
const MOST_WAITING = 50;

export interface Review {
  readonly host: string;
  readonly passages: readonly OutgoingPassage[];
}

export class Consents {
  readonly #allowed = new Set<string>();
  readonly #waiting = new Map<string, Review & { readonly origin: string }>();

  /** Throws `remote.consent` when there is a passage that may not go to this server yet. To this computer everything may. */
  check(address: Pick<ServerAddress, 'host' | 'origin' | 'scope'>, answerId: string, passages: readonly OutgoingPassage[]): void {
    if (address.scope === 'loopback') return;
    const { host, origin } = address;
    const asked = passages.filter((passage) => !this.#allowed.has(digest(origin, passage)));
    if (asked.length === 0) return;
    this.#waiting.set(answerId, { host, origin, passages: asked });
    if (this.#waiting.size > MOST_WAITING) this.#waiting.delete([...this.#waiting.keys()][0]);
    throw serviceError(
      'remote.consent',
      `The answer to this question needs text of your documents, which would be sent to ${host}. Nothing was sent yet: look at it first.`,
      { answerId, host, passages: asked.length },
    );
  }

  /** What `check` held back for this answer. Throws `message.missing` when nothing waits. */
  review(answerId: string): Review {
    const waiting = this.#waiting.get(answerId);
    if (!waiting)
      throw serviceError('message.missing', 'Nothing waits for your consent any more. Ask again to see it.', {
        messageId: answerId,
      });
    return { host: waiting.host, passages: waiting.passages };
  }

  allow(answerId: string): void {
    this.review(answerId);
    const { origin, passages } = this.#waiting.get(answerId)!;
    for (const passage of passages) this.#allowed.add(digest(origin, passage));
    this.#waiting.delete(answerId);
  }
}

function digest(origin: string, { documentTitle, page, text }: OutgoingPassage): string {
  return createHash('sha256')
    .update(JSON.stringify([origin, documentTitle, page, text]))
    .digest('hex');
}
