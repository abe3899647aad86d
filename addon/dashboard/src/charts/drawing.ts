/** What all charts are drawn with, in CSS pixels. */
import type { Fill } from './palette';

export type Point = readonly [x: number, y: number];

export interface Size {
  width: number;
  height: number;
}

export interface Box extends Size {
  x: number;
  y: number;
}

export interface Line {
  colour: string;
  width?: number;
  dash?: readonly number[];
  join?: CanvasLineJoin;
}

export interface Writing {
  colour: string;
  align?: CanvasTextAlign;
  baseline?: CanvasTextBaseline;
  bold?: boolean;
  /** The colour of a ground under the text, so that it can be read on a pattern. */
  ground?: string;
}

type Context = CanvasRenderingContext2D;

const TEXT_PX = 12;
const PLAIN = `400 ${TEXT_PX}px Roboto, sans-serif`;
const BOLD = `500 ${TEXT_PX}px Roboto, sans-serif`;
const GROUND_X = 4;
const GROUND_Y = 2;

function trace(context: Context, points: readonly Point[]): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
}

export function fillArea(context: Context, points: readonly Point[], fill: Fill): void {
  trace(context, points);
  context.fillStyle = fill;
  context.fill();
}

export function strokeLine(context: Context, points: readonly Point[], { colour, width = 1, dash = [], join = 'bevel' }: Line): void {
  trace(context, points);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineJoin = join;
  context.setLineDash(dash as number[]);
  context.stroke();
}

export function fillBox(context: Context, { x, y, width, height }: Box, fill: Fill, edge: string | null = null): void {
  context.fillStyle = fill;
  context.fillRect(x, y, width, height);
  if (edge === null) return;
  context.strokeStyle = edge;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.strokeRect(x, y, width, height);
}

export function write(context: Context, text: string, [x, y]: Point, { colour, align = 'left', baseline = 'middle', bold = false, ground }: Writing): void {
  context.font = bold ? BOLD : PLAIN;
  context.textAlign = align;
  context.textBaseline = baseline;
  if (ground !== undefined) {
    const { width } = context.measureText(text);
    const left = align === 'center' ? x - width / 2 : align === 'right' ? x - width : x;
    fillBox(context, { x: left - GROUND_X, y: y - TEXT_PX / 2 - GROUND_Y, width: width + 2 * GROUND_X, height: TEXT_PX + 2 * GROUND_Y }, ground);
  }
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** Where a line one pixel wide is sharp. */
export const sharp = (at: number): number => Math.round(at) - 0.5;
