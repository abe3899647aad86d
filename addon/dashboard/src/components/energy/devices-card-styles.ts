import { css } from 'lit';

export const devicesCardStyles = css`
  table {
    table-layout: fixed;
  }
  tbody tr > * {
    height: 40px;
  }
  tbody tr:first-child > * {
    border-top: 1px solid var(--line);
  }
  tr.part > * {
    height: 28px;
    border-top: 0;
  }
  th[scope='row'] {
    text-align: left;
    font-weight: 500;
  }
  .part th[scope='row'] {
    padding-left: 20px;
    font-weight: 400;
  }
  thead th {
    vertical-align: bottom;
    white-space: normal;
  }
  thead th:first-child {
    padding-left: 44px;
  }
  .name-column {
    width: 20%;
  }
  .number-column {
    width: 92px;
  }
  .disc-column {
    width: 44px;
    padding: 0;
  }
  .disc {
    display: grid;
    place-items: center;
    width: 32px;
    height: 32px;
    border-radius: 50%;
    background: color-mix(in srgb, var(--use) 20%, var(--card));
    color: var(--use-text);
  }
  .marked {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .mark {
    display: flex;
    flex: none;
  }
  .name {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .note.known {
    margin-top: 8px;
  }
  .under {
    display: none;
  }
  .track-column {
    text-align: left;
  }
  col.track-column {
    width: auto;
  }
  .bar {
    display: block;
    height: 8px;
    border-radius: 4px;
    background: var(--use);
  }
  .part .bar {
    background: var(--use-2);
  }
  .bar.untracked {
    border: 1px solid var(--use);
    background: repeating-linear-gradient(90deg, var(--use) 0 1px, transparent 1px 4px);
  }
  .amount {
    font-weight: 500;
  }
  .part .amount {
    font-weight: 400;
  }
  .spark-column {
    width: 176px;
    padding-left: 40px;
  }
  .spark {
    display: block;
    width: 100%;
    height: 24px;
  }
  .spark path {
    fill: var(--use);
  }
  .open-column {
    width: 48px;
    padding: 0;
  }
  .open-column .icon-button {
    margin-left: auto;
  }
  @media (max-width: 1023.98px) {
    .spark-column {
      width: 140px;
      padding-left: 16px;
    }
  }
  @media (max-width: 599.98px) {
    .wide,
    .track-column {
      display: none;
    }
    .name-column {
      width: auto;
    }
    .number-column {
      width: 64px;
    }
    tbody tr > * {
      height: 56px;
    }
    tr.part > * {
      height: 40px;
    }
    .name {
      white-space: normal;
      line-height: 18px;
      overflow-wrap: anywhere;
    }
    .under {
      display: block;
      margin-top: 4px;
    }
    .under .bar {
      height: 4px;
    }
    .spark-column {
      width: 76px;
      padding-left: 4px;
    }
    .open-column {
      width: 36px;
    }
    .open-column .icon-button {
      width: 48px;
      margin-right: -14px;
    }
  }
`;
