import js from '@eslint/js';
import { configs as lit } from 'eslint-plugin-lit';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  lit['flat/recommended'],
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ['error', 10],
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      // Lit calls a template's listeners with the element as `this`.
      '@typescript-eslint/unbound-method': 'off',
      // A number in a template literal is exactly what is meant here; objects and undefined stay forbidden.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['dev/**'], // a simulation: one formula a line, many of them
    rules: { complexity: 'off' },
  },
  {
    files: ['test/**'],
    rules: { 'max-lines-per-function': 'off' }, // one describe() holds a table of cases
  },
);
