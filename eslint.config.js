// Flat configuration without type information (`npm run typecheck` has the types), so that the whole tree lints in seconds.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import typescript from 'typescript-eslint';
import { borders } from './tests/lint/borders.ts';
import { sql } from './tests/lint/sql.ts';

const conclave = { rules: { borders, sql } };

/** Programs whose output is for a terminal. */
const terminal = ['main/hosts/{cli,launcher,browser,packaging}/**', 'tests/**', '**/*.test.ts', '*.config.{ts,js}', '.ci/**'];

export default typescript.config(
  { ignores: ['node_modules/', 'out/', 'dist/', '.cache/', 'resources/', 'tests/golden/', 'tests/fixtures/generated/'] },
  js.configs.recommended,
  typescript.configs.recommended,
  svelte.configs.recommended,
  {
    files: ['**/*.{ts,js,mjs,cjs,svelte}'],
    plugins: { conclave },
    rules: {
      'conclave/borders': 'error',
      'conclave/sql': 'error',
      'no-console': ['error', { allow: ['warn', 'error'] }],
      'no-restricted-globals': ['error', { name: 'require', message: 'Use import.' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-undef': 'off', // the compiler knows each process's globals; this rule does not
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-expressions': ['error', { allowShortCircuit: false }],
    },
  },
  { files: terminal, rules: { 'no-console': 'off' } },
  { files: ['**/*.d.ts'], rules: { '@typescript-eslint/triple-slash-reference': 'off' } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: typescript.parser, extraFileExtensions: ['.svelte'] } },
  },
);
