import { css } from 'lit';

export const trackStyles = css`
  .track {
    height: 8px;
    overflow: hidden;
    border-radius: 4px;
    background: var(--track);
  }
  .track i {
    display: block;
    height: 8px;
    border-radius: 4px;
    background: var(--primary);
  }
`;
