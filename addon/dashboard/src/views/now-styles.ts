import { css } from 'lit';

export const nowStyles = css`
  .view {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 320px;
    gap: 16px;
  }
  .main,
  .side {
    display: flex;
    flex-direction: column;
    gap: 16px;
    min-width: 0;
  }
  .side > :last-child {
    flex: 1;
  }
  @media (min-width: 1024px) {
    .view {
      min-height: calc(100dvh - 104px);
    }
    ed-hour-card {
      flex: 1;
    }
  }
  .pair {
    display: flex;
    flex-direction: column;
    gap: 16px;
  }
  .narrow,
  .devices {
    display: none;
  }
  .power .title {
    margin-bottom: 0;
  }
  .say {
    min-height: 20px;
    margin-bottom: 16px;
  }
  .importing .line {
    display: flex;
    justify-content: space-between;
    gap: 16px;
  }
  .importing b {
    font-weight: 500;
  }
  .track {
    height: 6px;
    margin-top: 6px;
    overflow: hidden;
    border-radius: 3px;
    background: var(--track);
  }
  .track i {
    display: block;
    height: 100%;
    background: var(--primary-text);
  }
  @media (min-width: 1024px) and (max-width: 1279.98px) {
    .view {
      grid-template-columns: minmax(0, 1fr) 264px;
    }
  }
  @media (max-width: 1023.98px) {
    .view {
      grid-template-columns: minmax(0, 1fr);
    }
    .side .pair {
      display: grid;
      grid-template-columns: 1fr 1fr;
    }
  }
  @media (max-width: 599.98px) {
    .view,
    .main,
    .side {
      gap: 12px;
    }
    .wide {
      display: none !important;
    }
    .narrow {
      display: grid;
      grid-template-columns: 1fr 1fr;
      gap: 12px;
    }
    .narrow > :only-child {
      grid-column: 1 / -1;
    }
    .devices {
      display: block;
    }
    .power .title {
      display: none;
    }
    .say {
      min-height: 0;
      margin-bottom: 12px;
    }
  }
`;
