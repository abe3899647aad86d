/** The sentence that Now opens with, made from the printed flows. */
import { t, type Key } from '../i18n';
import { listWords } from './format';
import type { LinkName, Links } from './balance';
import type { Amount, PowerNow, SourceName } from './power';

const SOURCES: readonly [SourceName, LinkName][] = [
  ['solar', 'solar_to_home'],
  ['battery', 'battery_to_home'],
  ['grid', 'grid_to_home'],
];
const ONE: Record<SourceName, Key> = { solar: 'say.one.solar', battery: 'say.one.battery', grid: 'say.one.grid' };
const WORD = { solar: 'word.solar', battery: 'word.battery', grid: 'word.grid' } as const;
const CAPITAL = { solar: 'word.Solar', battery: 'word.Battery', grid: 'word.Grid' } as const;
export const SOURCE_TITLE = { solar: 'source.solar', battery: 'source.battery', grid: 'source.grid', home: 'source.home' } as const;

const flows = (kw: number): boolean => kw >= 0.005;

/** The sources of the home's use now, biggest first, those that would print as 0 % left out. */
export function feeders(links: Links): { name: SourceName; kw: number }[] {
  const feeding = SOURCES.map(([name, link]) => ({ name, kw: links[link] })).filter(({ kw }) => flows(kw));
  const total = feeding.reduce((sum, { kw }) => sum + kw, 0);
  return feeding.filter(({ kw }) => kw >= total * 0.005).sort((a, b) => b.kw - a.kw);
}

function useClause(links: Links): string {
  const [main, second, third] = feeders(links);
  if (!main) return t('say.nothing');
  if (!second) return t(ONE[main.name] as 'say.one.solar');
  if (!third) return t('say.two', { main: t(CAPITAL[main.name]), other: t(WORD[second.name]) });
  return t('say.three', { main: t(CAPITAL[main.name]), a: t(WORD[second.name]), b: t(WORD[third.name]) });
}

/** Where solar power that the home does not use goes. "The rest" only where solar alone feeds the home. */
function solarClauses(links: Links): Key[] {
  const charges = flows(links.solar_to_battery);
  const exports = flows(links.solar_to_grid);
  const alone = !flows(links.grid_to_home) && !flows(links.battery_to_home);
  if (charges && exports && alone) return ['say.rest.both'];
  const clauses: Key[] = [];
  if (charges) clauses.push(alone ? 'say.rest.battery' : 'say.also.solarBattery');
  if (exports) clauses.push(alone ? 'say.rest.grid' : 'say.also.solarGrid');
  return clauses;
}

function restClauses(links: Links): string[] {
  const clauses = solarClauses(links);
  if (flows(links.grid_to_battery)) clauses.push('say.also.gridBattery');
  if (flows(links.battery_to_grid)) clauses.push('say.also.batteryGrid');
  return clauses.map((key) => t(key as 'say.rest.both'));
}

/** "Solar covers all use. The rest charges the battery and goes to the grid." */
export function powerSentence(now: PowerNow): string {
  if (now.home.state !== 'known') return t('say.unknownHome');
  return [useClause(now.links), ...restClauses(now.links)].join(' ');
}

export interface Trouble {
  what: string;
  then: string;
}

/** What to say of the first source without a value, or null. `nameOf` and `timeOf` print an Entity and an instant. */
export function powerTrouble(now: PowerNow, timeOf: (us: number) => string): Trouble | null {
  const lacking = (['grid', 'solar', 'battery', 'home'] as const)
    .map((name) => ({ name, amount: now[name] }))
    .filter((entry): entry is { name: SourceName | 'home'; amount: Amount } => entry.amount !== null && entry.amount.state !== 'known');
  const first = lacking[0];
  if (!first) return null;
  const names = lacking.filter(({ amount }) => amount.state === first.amount.state).map(({ name }) => t(SOURCE_TITLE[name]));
  const name = first.name === 'home' ? t(SOURCE_TITLE.home) : listWords(names.filter((word) => word !== t(SOURCE_TITLE.home)));
  const then = first.name === 'home' ? '' : t(now.home.state === 'known' ? 'say.homeMetered' : 'say.homeUnknown');
  return { what: troubleOf(first.amount, name, timeOf), then };
}

function troubleOf(amount: Amount, name: string, timeOf: (us: number) => string): string {
  if (amount.state === 'unmeasured') return t('say.noSensor', { name });
  if (amount.state === 'unavailable' && amount.sinceUs !== null) return t('say.unavailable', { name, time: timeOf(amount.sinceUs) });
  return t('say.unavailableNow', { name });
}
