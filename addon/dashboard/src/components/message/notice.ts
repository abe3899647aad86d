/** One line above a card's content that is otherwise shown: stale, part missing, importing. */
import { mdiAlertCircle, mdiClockAlertOutline } from '@mdi/js';
import { html, css, type TemplateResult } from 'lit';
import { icon } from '../icon';

export const noticeStyles = css`
  .notice {
    display: flex;
    gap: 8px;
  }
  .notice svg {
    color: var(--warning);
  }
  .notice b {
    font-weight: 500;
  }
`;

export function notice(kind: 'stale' | 'part', what: string, then: string): TemplateResult {
  return html`<p class="notice" role="status">
    ${icon(kind === 'stale' ? mdiClockAlertOutline : mdiAlertCircle, 20)}<span><b>${what}</b> <span class="second">${then}</span></span>
  </p>`;
}
