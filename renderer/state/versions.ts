/**
 * A conversation is a tree of messages; siblings are versions of one another, and the page shows one path from a first
 * message to a leaf. Pure functions over the list the services give (oldest first).
 */
import type { Message } from '../../main/contract/types.ts';

export interface Versions {
  /** 1-based place of the shown message among its siblings. */
  readonly index: number;
  readonly count: number;
  readonly previousId: string | null;
  readonly nextId: string | null;
}

export interface BranchItem {
  readonly message: Message;
  readonly versions: Versions;
}

function childrenOf(messages: readonly Message[]): Map<string | null, Message[]> {
  const children = new Map<string | null, Message[]>();
  for (const message of messages) {
    const siblings = children.get(message.parentId);
    if (siblings) siblings.push(message);
    else children.set(message.parentId, [message]);
  }
  return children;
}

/** The newest leaf at or below `messageId`. */
export function leafBelow(messages: readonly Message[], messageId: string): string {
  const children = childrenOf(messages);
  let leafId = messageId;
  for (let next = children.get(leafId); next && next.length > 0; next = children.get(leafId)) leafId = next[next.length - 1].id;
  return leafId;
}

/**
 * The messages from the root to `leafId`, each with its place among its versions. Items of `previous` that did not change are
 * kept, so a component that shows one is not told about changes elsewhere. An unknown leaf shows the newest branch.
 */
export function visibleBranch(
  messages: readonly Message[],
  leafId: string | null,
  previous: readonly BranchItem[] = [],
): readonly BranchItem[] {
  if (messages.length === 0) return [];
  const byId = new Map(messages.map((message) => [message.id, message]));
  const children = childrenOf(messages);
  let current = leafId === null ? undefined : byId.get(leafId);
  current ??= byId.get(leafBelow(messages, messages[messages.length - 1].id));

  const path: Message[] = [];
  for (const seen = new Set<string>(); current && !seen.has(current.id);) {
    seen.add(current.id);
    path.push(current);
    current = current.parentId === null ? undefined : byId.get(current.parentId);
  }
  return path.reverse().map((message, place) => {
    const siblings = children.get(message.parentId) ?? [message];
    const at = siblings.indexOf(message);
    const versions: Versions = {
      index: at + 1,
      count: siblings.length,
      previousId: siblings[at - 1]?.id ?? null,
      nextId: siblings[at + 1]?.id ?? null,
    };
    const old = previous[place];
    return old?.message === message && sameVersions(old.versions, versions) ? old : { message, versions };
  });
}

function sameVersions(a: Versions, b: Versions): boolean {
  return a.index === b.index && a.count === b.count && a.previousId === b.previousId && a.nextId === b.nextId;
}
