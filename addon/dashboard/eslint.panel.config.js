/** For the panel's module, which Home Assistant's page loads as it is: `eslint -c` this file, from the repository's root. */
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';

const GLOBALS = [
  'HTMLElement', 'CustomEvent', 'customElements', 'document', 'location', 'history', 'fetch',
  'setTimeout', 'clearTimeout', 'addEventListener', 'removeEventListener',
];

export default defineConfig(js.configs.recommended, {
  languageOptions: { globals: Object.fromEntries(GLOBALS.map((name) => [name, 'readonly'])) },
  rules: { complexity: ['error', 10], 'prefer-const': 'error', 'no-var': 'error', eqeqeq: 'error' },
});
