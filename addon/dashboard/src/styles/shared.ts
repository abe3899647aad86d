/** Styles that several components use: type, card, buttons, tables, swatches. Breakpoints: 600 and 1024 px. */
import { css } from 'lit';

export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
    min-width: 0;
  }
  :host([hidden]) {
    display: none;
  }
  h1,
  h2,
  p,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  button,
  input {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
    background: none;
    border: 0;
    padding: 0;
  }
  a {
    color: var(--primary-text);
  }
  :focus-visible {
    outline: 2px solid var(--primary-text);
    outline-offset: 2px;
  }
  svg.icon {
    display: block;
    flex: none;
    fill: currentColor;
  }
  .second {
    color: var(--ink-2);
  }
  .note {
    font: 400 12px/16px Roboto, sans-serif;
    color: var(--ink-2);
  }
  .spoken {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

export const card = css`
  .card {
    position: relative;
    min-width: 0;
    padding: 16px 20px;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--card);
  }
  .title {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 16px;
    margin-bottom: 8px;
  }
  .title h2 {
    font: 500 16px/24px Roboto, sans-serif;
  }
  .title > :nth-child(2) {
    margin-left: auto;
  }
  .key-number {
    font: 500 28px/32px Roboto, sans-serif;
    letter-spacing: -0.2px;
  }
  .key-number .unit {
    font: 400 16px/24px Roboto, sans-serif;
    letter-spacing: 0;
    color: var(--ink-2);
  }
  @media (max-width: 599.98px) {
    .card {
      padding: 12px 16px;
    }
    .key-number {
      font-size: 24px;
    }
  }
`;

export const button = css`
  .button {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    height: 40px;
    padding: 0 16px;
    border-radius: 20px;
    background: var(--tint);
    color: var(--primary-text);
    font-weight: 500;
    white-space: nowrap;
  }
  .button:hover {
    background: color-mix(in srgb, var(--card) 55%, var(--tint)); /* towards the card: darker would cost the text its contrast */
  }
  .button:disabled {
    cursor: default;
    background: none;
    color: var(--ink-2);
  }
  .text-button {
    padding: 2px 4px;
    margin: -2px -4px;
    border-radius: 4px;
    color: var(--primary-text);
    font-weight: 500;
  }
  .text-button:hover {
    text-decoration: underline;
  }
  .icon-button {
    display: grid;
    place-items: center;
    width: 40px;
    height: 40px;
    border-radius: 20px;
    color: var(--ink);
  }
  .icon-button:hover:not([aria-disabled='true']) {
    background: var(--track);
  }
  .icon-button[aria-disabled='true'] {
    cursor: default;
    color: color-mix(in srgb, var(--ink-2) 45%, var(--card));
  }
  @media (max-width: 599.98px) {
    .button,
    .icon-button {
      min-width: 48px;
      height: 48px;
      border-radius: 24px;
    }
    .text-button {
      min-height: 48px;
      padding: 0 8px;
      margin: -14px -8px;
    }
  }
`;

export const table = css`
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th,
  td {
    height: 30px;
    padding: 0 8px;
    text-align: right;
    font-weight: 400;
    white-space: nowrap;
  }
  thead th {
    height: 24px;
    font-size: 12px;
    line-height: 16px;
    color: var(--ink-2);
  }
  th:first-child,
  td:first-child {
    padding-left: 0;
    text-align: left;
  }
  th:last-child,
  td:last-child {
    padding-right: 0;
  }
  tr.sum > * {
    border-top: 1px solid var(--line);
    font-weight: 500;
  }
  .pairs {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 0 16px;
  }
  .pairs > * {
    min-height: 32px;
    padding: 6px 0;
  }
  .pairs > dt {
    color: var(--ink-2);
  }
  .pairs > dd {
    text-align: right;
    font-weight: 500;
    overflow-wrap: anywhere;
  }
`;

/** Swatches: a series is known by its name and its pattern, not by its hue alone. */
export const swatch = css`
  .swatch {
    display: inline-block;
    flex: none;
    width: 16px;
    height: 12px;
    border: 1px solid var(--edge);
    border-radius: 3px;
    background: color-mix(in srgb, var(--colour) var(--fill), var(--card));
  }
  .swatch.solar {
    --colour: var(--solar);
    --edge: var(--solar-edge);
  }
  .swatch.grid_import {
    --colour: var(--grid);
    --edge: var(--grid-edge);
  }
  .swatch.grid_export {
    --colour: var(--export);
    --edge: var(--export-edge);
  }
  .swatch.battery_discharge {
    --colour: var(--discharge);
    --edge: var(--discharge-edge);
  }
  .swatch.battery_charge {
    --colour: var(--charge);
    --edge: var(--charge-edge);
  }
  .swatch.battery_discharge,
  .swatch.battery_charge {
    background: repeating-linear-gradient(
      135deg,
      color-mix(in srgb, var(--colour) 82%, var(--card)) 0 3px,
      color-mix(in srgb, var(--colour) 28%, var(--card)) 3px 5px
    );
  }
  .swatch.use-1,
  .swatch.use-2,
  .swatch.use-3 {
    --edge: var(--use-edge);
  }
  .swatch.use-1 {
    background: var(--use-1);
  }
  .swatch.use-2 {
    background: var(--use-2);
  }
  .swatch.use-3 {
    background: var(--use-3);
  }
  .swatch.line {
    height: 0;
    border: 0;
    border-top: 2px solid var(--ink);
    border-radius: 0;
    background: none;
  }
  .named {
    display: inline-flex;
    align-items: center;
    gap: 8px;
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 20px;
    font: 400 12px/16px Roboto, sans-serif;
  }
  .legend .named {
    gap: 6px;
  }
  @media (max-width: 599.98px) {
    .legend {
      gap: 4px 14px;
    }
  }
`;

/** What a panel or a card says of one point of a chart. */
export const reading = css`
  .head {
    display: flex;
    gap: 4px;
    font-weight: 500;
  }
  .head .second {
    font-weight: 400;
  }
  .head b {
    margin-left: auto;
    font-weight: 500;
  }
  .reading th,
  .reading td {
    height: 22px;
    font-size: 13px;
  }
  .reading thead th {
    height: 20px;
    font-size: 12px;
  }
  .panel-row {
    display: flex;
    align-items: center;
    gap: 8px;
    line-height: 22px;
  }
  .panel-row b {
    margin-left: auto;
    font-weight: 500;
  }
`;
