import { describe, expect, it } from 'vitest';
import type { Message } from '../../main/contract/types.ts';
import { leafBelow, visibleBranch } from './versions.ts';

function message(id: string, parentId: string | null, content = id): Message {
  return {
    id,
    conversationId: 'c',
    parentId,
    role: id.startsWith('q') ? 'user' : 'assistant',
    content,
    status: 'complete',
    createdAtMs: 0,
    modelName: null,
    remoteHost: null,
    stats: null,
    sources: [],
    evidence: null,
    error: null,
  };
}

// q1 ─ a1 ─ q2 ─ a2
//  │    └── q2' ─ a2'
//  └── a1'
const TREE = [
  message('q1', null),
  message('a1', 'q1'),
  message('q2', 'a1'),
  message('a2', 'q2'),
  message("q2'", 'a1'),
  message("a2'", "q2'"),
  message("a1'", 'q1'),
];

describe('visibleBranch', () => {
  it('is the path from the root to the leaf, with each message’s place among its versions', () => {
    const branch = visibleBranch(TREE, 'a2');
    expect(branch.map(({ message: { id } }) => id)).toEqual(['q1', 'a1', 'q2', 'a2']);
    expect(branch.map(({ versions }) => [versions.index, versions.count])).toEqual([
      [1, 1],
      [1, 2],
      [1, 2],
      [1, 1],
    ]);
    expect(branch[2].versions).toMatchObject({ previousId: null, nextId: "q2'" });
  });

  it('knows versions of a first message', () => {
    const tree = [...TREE, message("q1'", null)];
    expect(visibleBranch(tree, "q1'")[0].versions).toEqual({ index: 2, count: 2, previousId: 'q1', nextId: null });
  });

  it('shows the newest branch when the leaf is unknown, and nothing for an empty conversation', () => {
    expect(visibleBranch(TREE, 'gone').at(-1)?.message.id).toBe("a1'");
    expect(visibleBranch([], null)).toEqual([]);
  });

  it('keeps items that did not change', () => {
    const before = visibleBranch(TREE, 'a2');
    const grown = TREE.map((old) => (old.id === 'a2' ? { ...old, content: 'longer' } : old));
    const after = visibleBranch(grown, 'a2', before);
    expect(after[0]).toBe(before[0]);
    expect(after[2]).toBe(before[2]);
    expect(after[3]).not.toBe(before[3]);
  });

  it('ends on a cycle', () => {
    expect(visibleBranch([message('a', 'b'), message('b', 'a')], 'a')).toHaveLength(2);
  });
});

describe('leafBelow', () => {
  it('follows the newest version at each fork', () => {
    expect(leafBelow(TREE, 'a1')).toBe("a2'");
    expect(leafBelow(TREE, 'q1')).toBe("a1'");
    expect(leafBelow(TREE, 'a2')).toBe('a2');
  });
});
