/** A day of the calendar: its drawing, and the same in words. The worst of a day marks all of it. */
import { css, nothing, svg, type SVGTemplateResult } from 'lit';
import { lackOf, lackingWords, type DayCell } from '../../domain/completeness';
import type { Formats } from '../../domain/format';
import { t } from '../../i18n';

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
  /** Radius of the dot of what was backfilled. */
  dot: number;
}

/** Missing is hatched, thick and aslant; off is ruled, thin and upright. */
export const HATCH = svg`<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="5" height="5"></rect><rect class="hatch-line" width="2" height="5"></rect></pattern></defs>`;

/** How far apart rules are, about; also the narrowest cell has some. */
const RULE_EVERY = 4;
const FEWEST_RULES = 2;

export const cellStyles = css`
  .live {
    fill: var(--measured);
    stroke: var(--grid-text);
    stroke-opacity: 0.5;
    stroke-width: 0.5;
  }
  .statistics {
    fill: var(--statistics);
  }
  .line {
    fill: var(--primary-text);
    opacity: 0.55;
  }
  .dot {
    fill: var(--ink);
  }
  .missing {
    fill: url(#hatch);
    stroke: var(--error);
    stroke-width: 1.5;
  }
  .off {
    fill: var(--card);
    stroke: var(--ink-2);
    stroke-width: 1;
  }
  .rules {
    fill: none;
    stroke: var(--ink-2);
    stroke-width: 1;
  }
  .hatch-ground {
    fill: var(--card);
  }
  .hatch-line {
    fill: var(--error);
  }
`;

function rules({ x, y, w, h }: Box): string {
  const count = Math.max(FEWEST_RULES, Math.round(w / RULE_EVERY) - 1);
  return Array.from({ length: count }, (_, i) => `M${x + ((i + 1) * w) / (count + 1)} ${y}v${h}`).join('');
}

export function drawCell(box: Box, day: DayCell): SVGTemplateResult | typeof nothing {
  const { x, y, w, h, dot } = box;
  const lack = lackOf(day);
  if (lack === null && day.kind === 'blank') return nothing;
  const ground = svg`<rect class=${lack ?? day.kind} x=${x} y=${y} width=${w} height=${h} rx="2"></rect>`;
  if (lack === 'missing') return ground;
  if (lack === 'off') return svg`${ground}<path class="rules" d=${rules(box)}></path>`;
  if (day.kind === 'statistics') return svg`${ground}<rect class="line" x=${x} y=${y + h / 2 - 0.5} width=${w} height="1"></rect>`;
  return day.backfilled ? svg`${ground}<circle class="dot" cx=${x + w / 2} cy=${y + h / 2} r=${dot}></circle>` : ground;
}

export function wordsOf(day: DayCell, formats: Formats): string {
  if (lackOf(day)) return lackingWords(day, formats);
  if (day.kind === 'statistics') return t('calendar.dayFull.statistics');
  return t(day.backfilled ? 'calendar.dayFull.backfilled' : 'calendar.dayFull.live');
}
