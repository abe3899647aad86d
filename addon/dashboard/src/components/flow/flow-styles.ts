import { css } from 'lit';

export const flowStyles = css`
  .flow {
    position: relative;
  }
  svg[role='img'] {
    position: absolute;
    inset: 0;
    overflow: visible;
    fill: none;
  }
  path.idle {
    stroke: var(--line);
    stroke-width: 1.5;
  }
  path.unknown {
    stroke: var(--ink-2);
    stroke-width: 1.5;
    stroke-dasharray: 2 5;
  }
  .flowing.solar {
    --c: var(--solar);
    --ct: var(--solar-text);
  }
  .flowing.export {
    --c: var(--export);
    --ct: var(--export-text);
  }
  .flowing.charge {
    --c: var(--charge);
    --ct: var(--charge-text);
  }
  .flowing.discharge {
    --c: var(--discharge);
    --ct: var(--discharge-text);
  }
  .flowing.grid {
    --c: var(--grid);
    --ct: var(--grid-text);
  }
  .band {
    stroke: var(--c);
    stroke-opacity: var(--link-opacity);
  }
  .dots {
    stroke: var(--ct);
    stroke-width: 2;
    stroke-linecap: round;
    stroke-dasharray: 2 10;
  }
  .arrow {
    stroke: var(--ct);
    stroke-width: 2.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  path.device {
    stroke: var(--use);
    stroke-opacity: 0.5;
  }
  path.untracked {
    stroke-dasharray: 3 3;
  }
  @media (prefers-reduced-motion: no-preference) {
    .dots {
      /* one pixel a step: as smooth as it looks, at a quarter of the repaints */
      animation: flow 1.6s steps(24) infinite;
    }
  }
  @keyframes flow {
    to {
      stroke-dashoffset: -24;
    }
  }
  .tile {
    position: absolute;
    display: flex;
    align-items: center;
    gap: 12px;
    padding: 10px 12px;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--card);
  }
  .solar {
    --c: var(--solar);
    --ct: var(--solar-text);
  }
  .grid {
    --c: var(--grid);
    --ct: var(--grid-text);
  }
  .grid.to {
    --c: var(--export);
    --ct: var(--export-text);
  }
  .battery {
    --c: var(--discharge);
    --ct: var(--discharge-text);
  }
  .battery.to {
    --c: var(--charge);
    --ct: var(--charge-text);
  }
  .home,
  .idle,
  li {
    --c: var(--use);
    --ct: var(--use-text);
  }
  .disc {
    display: grid;
    flex: none;
    place-items: center;
    width: 40px;
    height: 40px;
    border-radius: 50%;
    background: color-mix(in srgb, var(--c) 20%, var(--card));
    color: var(--ct);
  }
  .words {
    flex: 1;
    min-width: 0;
  }
  .label {
    overflow: hidden;
    font: 400 12px/16px Roboto, sans-serif;
    color: var(--ink-2);
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .value {
    font: 500 20px/24px Roboto, sans-serif;
    white-space: nowrap;
  }
  .value.none {
    font-size: 16px;
  }
  .unit {
    margin-left: 3px;
    font: 400 14px/20px Roboto, sans-serif;
    color: var(--ink-2);
  }
  .charge {
    display: flex;
    align-items: center;
    gap: 6px;
    margin-top: 1px;
  }
  .track {
    flex: 1;
    height: 4px;
    overflow: hidden;
    border-radius: 2px;
    background: var(--track);
  }
  .track i {
    display: block;
    height: 4px;
    background: var(--discharge-text);
  }
  li.device {
    position: absolute;
    display: flex;
    align-items: center;
    gap: 12px;
    width: 172px;
    height: 48px;
  }
  li .disc {
    width: 36px;
    height: 36px;
  }
  .amount {
    font: 500 16px/20px Roboto, sans-serif;
  }
  .amount .unit {
    margin: 0;
    font-size: 12px;
  }
  .amount.none {
    font-weight: 400;
    font-size: 14px;
  }
  .small .tile {
    align-items: flex-start;
    gap: 0;
    padding: 6px 8px;
  }
  .small .tile .disc {
    position: absolute;
    top: 6px;
    left: 8px;
    width: 16px;
    height: 16px;
    background: none;
  }
  .small .tile .words > .label:first-child {
    padding-left: 20px;
  }
  :host([data-stale]) .dots {
    display: none;
  }
  :host([data-stale]) :is(.flowing, .tile) {
    --c: var(--use);
    --ct: var(--ink-2);
  }
  :host([data-stale]) :is(.value, .amount) {
    color: var(--ink-2);
  }
  :host([data-stale]) .track i {
    background: var(--ink-2);
  }
`;
