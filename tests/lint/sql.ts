/** ESLint rule `conclave/sql`: SQL text stands in main/database only (and in tests), so that a schema change is made in one folder. */
import path from 'node:path';
import type { TSESLint, TSESTree } from '@typescript-eslint/utils';

const statement =
  /^\s*(select\s+[\s\S]+\bfrom\b|insert\s+(or\s+\w+\s+)?into\b|replace\s+into\b|update\s+\w+\s+set\b|delete\s+from\b|create\s+(unique\s+)?(table|index|view|trigger|virtual)\b|alter\s+table\b|drop\s+(table|index|view|trigger)\b|pragma\s+\w+|begin\s+(immediate|exclusive|deferred)\b)/i;

export const sql: TSESLint.RuleModule<'misplaced'> = {
  defaultOptions: [],
  meta: {
    type: 'problem',
    docs: { description: 'SQL stands in main/database only' },
    messages: { misplaced: 'SQL belongs into main/database: give this query a function there.' },
    schema: [],
  },
  create(context) {
    const file = path.relative(context.cwd, context.filename).split(path.sep).join('/');
    if (file.startsWith('main/database/') || file.startsWith('tests/') || file.endsWith('.test.ts')) return {};
    const check = (node: TSESTree.Node, text: string) => {
      const first = text.trim().split(/\s/, 1)[0];
      const isKeyword = first === first.toUpperCase() || first === first.toLowerCase(); // `Select a model from …` is a sentence
      if (isKeyword && statement.test(text)) context.report({ node, messageId: 'misplaced' });
    };
    return {
      Literal(node) {
        if (typeof node.value === 'string') check(node, node.value);
      },
      TemplateLiteral: (node) => check(node, node.quasis.map((part) => part.value.raw).join(' x ')),
    };
  },
};
