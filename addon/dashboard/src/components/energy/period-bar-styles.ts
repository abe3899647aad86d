import { css } from 'lit';

export const periodBarStyles = css`
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
    min-height: 40px;
    touch-action: pan-y;
    user-select: none;
  }
  .period {
    display: flex;
    align-items: center;
    gap: 4px;
  }
  h2 {
    padding: 0 8px;
    font: 500 20px/28px Roboto, sans-serif;
    text-align: center;
    white-space: nowrap;
  }
  .unseen {
    position: absolute;
    visibility: hidden;
  }
  ed-compare-menu {
    margin-left: auto;
  }
  .kinds {
    display: inline-flex;
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: 20px;
    background: var(--card);
  }
  .kinds button {
    height: 38px;
    padding: 0 16px;
    color: var(--ink-2);
    font-weight: 500;
  }
  .kinds button:hover {
    background: var(--track);
  }
  .kinds button[aria-pressed='true'] {
    background: var(--tint);
    color: var(--primary-text);
  }
  .kinds button:focus-visible {
    outline-offset: -3px;
    border-radius: 20px;
  }
  @media (max-width: 599.98px) {
    .bar {
      gap: 0;
    }
    .kinds {
      order: -1;
      flex: 1 0 100%;
      border-radius: 24px;
    }
    .kinds button {
      flex: 1;
      height: 46px;
      padding: 0;
    }
    .period {
      flex: 1 0 100%;
      margin-top: 4px;
    }
    .names {
      flex: 1;
      min-width: 0;
    }
    h2 {
      font: 500 16px/20px Roboto, sans-serif;
      white-space: normal;
    }
    .until {
      display: none;
    }
    ed-compare-menu {
      flex: 1;
      margin: -8px 48px 0;
    }
    .present {
      order: 2;
      height: 40px;
      min-width: 0;
      margin: -8px 0 0 -44px;
      padding: 0 8px;
      background: none;
    }
  }
`;
