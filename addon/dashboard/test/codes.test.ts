/** Whatever code the Link may bring has words: the dashboard prints no code that it could explain. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { en } from '../src/i18n/en';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

interface Coded {
  readonly enum: readonly string[];
}
interface Protocol {
  readonly $defs: {
    readonly ack: { readonly properties: { readonly refused: { readonly items: { readonly properties: { readonly code: Coded } } } } };
    readonly nothing: { readonly properties: { readonly reason: Coded } };
    readonly recorder: { readonly properties: { readonly state: Coded } };
  };
}

const { ack, nothing, recorder } = (JSON.parse(read('protocol/schema/v1.json')) as Protocol).$defs;
const codesOf = (module: string, code: RegExp): string[] =>
  [...read(`custom_components/energy_dashboard/pipeline/${module}.py`).matchAll(code)].map(([, found]) => found ?? '');
const skipped = [...codesOf('convert', /SkippedStateError\("[^"]+", "(\w+)"\)/g), ...codesOf('listen', /skipped\["(\w+)"\]/g)];
const reasons = nothing.properties.reason.enum.filter((reason) => reason !== 'no_statistics'); // of hours, which have no gaps

describe('every code has words', () => {
  it.each([
    ['refused', ack.properties.refused.items.properties.code.enum],
    ['skipped', [...new Set(skipped)]],
    ['gap', reasons],
    ['reason', reasons],
    ['recorder', recorder.properties.state.enum],
  ])('%s', (prefix, codes) => {
    expect(codes.length).toBeGreaterThan(2);
    expect(codes.filter((code) => !(`${prefix}.${code}` in en))).toEqual([]);
  });

  it('and words for what is refused or skipped have a code', () => {
    const known = new Set([...ack.properties.refused.items.properties.code.enum, ...skipped, 'other']);
    const words = Object.keys(en).filter((key) => /^(refused|skipped)\./.test(key));
    expect(words.filter((key) => !known.has(key.replace(/^\w+\./, '')))).toEqual([]);
  });
});
