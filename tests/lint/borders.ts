/**
 * ESLint rule `conclave/borders`: resolves what every import names (static, dynamic, type, re-export, `import()` types, `require`,
 * `import.meta.glob`) and holds it against the table in zones.ts. Paths are resolved by text alone, so a file need not exist.
 */
import { builtinModules } from 'node:module';
import path from 'node:path';
import type { TSESLint, TSESTree } from '@typescript-eslint/utils';
import { judge } from './zones.ts';

type Node = TSESTree.Node;

export const borders: TSESLint.RuleModule<'forbidden' | 'prefix' | 'dynamic'> = {
  defaultOptions: [],
  meta: {
    type: 'problem',
    docs: { description: 'imports stay within the borders of tests/lint/zones.ts' },
    messages: {
      forbidden: '{{file}} may not import {{target}}: {{reason}}.',
      prefix: "Write '{{name}}' as 'node:{{name}}', so that the border rules see it.",
      dynamic: 'An import whose name is computed cannot be checked: write it as a string.',
    },
    schema: [],
  },
  create(context) {
    const file = path.relative(context.cwd, context.filename).split(path.sep).join('/');

    function check(node: Node, specifier: unknown): void {
      if (typeof specifier !== 'string') return;
      const name = specifier.replace(/\?.*$/, '');
      if (builtinModules.includes(name)) {
        context.report({ node, messageId: 'prefix', data: { name } });
        return;
      }
      const isPath = name.startsWith('.') || name.startsWith('/');
      const target = isPath ? path.posix.join(name.startsWith('/') ? '' : path.posix.dirname(file), name) : name;
      const verdict = judge(file, isPath ? { path: target.replace(/^\//, '') } : { module: name });
      if (!verdict.allowed) context.report({ node, messageId: 'forbidden', data: { file, target, reason: verdict.reason } });
    }

    function checkComputed(node: Node, argument: Node | undefined): void {
      if (argument?.type === 'Literal') check(node, argument.value);
      else if (argument?.type === 'TemplateLiteral' && argument.expressions.length === 0)
        check(node, argument.quasis[0].value.cooked);
      else if (/^(gpu|main(?!\/hosts\/cli)|renderer)\//.test(file) && !file.endsWith('.test.ts'))
        context.report({ node, messageId: 'dynamic' });
    }

    return {
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportAllDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration: (node) => check(node, node.source?.value),
      ImportExpression: (node) => checkComputed(node, node.source),
      TSImportType: (node) => check(node, node.source.value),
      TSExternalModuleReference: (node) => checkComputed(node, node.expression),
      CallExpression(node) {
        const callee = context.sourceCode.getText(node.callee);
        if (callee === 'require') checkComputed(node, node.arguments[0]);
        if (callee === 'import.meta.glob') {
          const first = node.arguments[0];
          const patterns = first?.type === 'ArrayExpression' ? first.elements : [first];
          for (const pattern of patterns) if (pattern?.type === 'Literal') check(node, pattern.value);
        }
      },
    };
  },
};
