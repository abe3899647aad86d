import { css } from 'lit';

export const stepsCardStyles = css`
  .card {
    display: flex;
    flex-direction: column;
    height: 100%;
    padding-bottom: 12px;
  }
  .title {
    margin-bottom: 4px;
  }
  ed-steps-chart,
  .scroll {
    flex: 1;
    height: 296px;
    min-height: 296px;
  }
  .scroll {
    overflow: auto;
    max-height: max(296px, calc(100dvh - 604px));
  }
  .scroll thead th {
    position: sticky;
    top: 0;
    background: var(--card);
  }
  ed-steps-chart + .legend,
  .scroll + .legend {
    margin-top: 6px;
  }
  .segments {
    display: inline-flex;
    align-self: center;
    border: 1px solid var(--line);
    border-radius: 16px;
    overflow: hidden;
  }
  .segments button {
    height: 30px;
    padding: 0 12px;
    color: var(--ink-2);
    font: 500 12px/16px Roboto, sans-serif;
  }
  .segments button:hover {
    background: var(--track);
  }
  .segments button[aria-pressed='true'] {
    background: var(--tint);
    color: var(--primary-text);
  }
  .segments button:focus-visible {
    outline-offset: -3px;
    border-radius: 16px;
  }
  .foot {
    display: flex;
    align-items: baseline;
    gap: 16px;
    margin-top: 8px;
  }
  .foot button {
    margin-left: auto;
    white-space: nowrap;
    color: var(--primary-text);
    font-weight: 500;
  }
  .also {
    display: flex;
    gap: 8px;
    margin-top: 4px;
  }
  summary.also {
    cursor: pointer;
    list-style: none;
  }
  summary.also:hover span {
    text-decoration: underline;
  }
  details ul {
    max-height: 128px;
    margin: 4px 0 0 24px;
    overflow: auto;
  }
  @media (max-width: 599.98px) {
    .title {
      align-items: center;
    }
    .title h2 {
      flex: 1;
    }
    .title .legend {
      order: 3;
      width: 100%;
      margin: 4px 0 0;
    }
    .segments {
      border-radius: 20px;
    }
    .segments button {
      height: 38px;
    }
    ed-steps-chart,
    .scroll {
      height: 256px;
      min-height: 256px;
    }
    .in-place {
      min-height: 92px;
      margin-bottom: 8px;
    }
    .cells {
      display: grid;
      grid-template-columns: 1fr 1fr;
      gap: 2px 20px;
      margin-top: 4px;
      font-size: 13px;
    }
    .cells > span {
      display: flex;
      align-items: center;
      gap: 6px;
      min-width: 0;
    }
    .cell-name {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .cells b {
      margin-left: auto;
      font-weight: 500;
    }
  }
`;
