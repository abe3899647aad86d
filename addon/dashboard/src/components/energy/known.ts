/** How intervals are known: a sign for the worst of it, and one line of text. */
import { css, html, nothing, type TemplateResult } from 'lit';
import { knownSentence, marksOf, type Known, type Mark } from '../../domain/provenance';

export type Sign = Mark['kind'] | 'partly';

export const renderSign = (sign: Sign): TemplateResult => html`<i class="sign ${sign}"></i>`;

/** The line under a chart. `spanOf` names intervals. */
export function renderKnown(known: Known, spanOf: (from: number, until: number) => string): TemplateResult {
  const kinds = marksOf(known.provenance, known.known, known.partly, known.before).map(({ kind, partly }) => (partly ? 'partly' : kind));
  const sign = (['missing', 'partly'] as const).find((kind) => kinds.includes(kind)) ?? kinds[0];
  return html`<p class="note known">${sign ? renderSign(sign) : nothing}<span>${knownSentence(known, spanOf)}</span></p>`;
}

export const knownStyles = css`
  .known {
    display: flex;
    align-items: baseline;
    gap: 8px;
  }
  .sign {
    flex: none;
    align-self: center;
    width: 16px;
  }
  .sign.backfilled {
    height: 3px;
    background: repeating-linear-gradient(90deg, var(--ink) 0 3px, transparent 3px 5px);
  }
  .sign.statistics {
    height: 5px;
    border: solid var(--ink-2);
    border-width: 1px 0;
  }
  .sign.partly {
    width: 10px;
    margin: 0 3px;
    height: 7px;
    background: var(--error);
  }
  .sign.interpolated {
    border-top: 1px dashed var(--ink);
  }
  .sign.missing {
    height: 12px;
    border: 1px solid var(--error);
    border-radius: 3px;
    background: repeating-linear-gradient(135deg, var(--error) 0 1.5px, transparent 1.5px 5px);
  }
`;
