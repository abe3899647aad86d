import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { mockServer } from './dev/mock-server.ts';

const KB = 1000;
const BUDGET_KB = 150;

function* files(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

/** Writes `.gz` and `.br` next to what compresses. index.html is left alone: the server writes its `<base href>`. */
function precompress(): Plugin {
  let folder = 'dist';
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const path of [...files(folder)]) {
        if (!/\.(js|css|svg)$/.test(path)) continue;
        const content = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(content));
      }
    },
  };
}

/** Prints what a browser must load, and fails the build above the budget. */
function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    writeBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((chunk) => chunk.type === 'chunk');
      const size = chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length / KB, 0);
      const text = `JavaScript: ${size.toFixed(1)} kB gzipped (budget ${BUDGET_KB})`;
      if (size > BUDGET_KB) throw new Error(text);
      this.info(text);
    },
  };
}

export default defineConfig({
  base: './',
  build: { target: 'es2022', reportCompressedSize: false, chunkSizeWarningLimit: 700 },
  plugins: [mockServer(), precompress(), budget()],
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
