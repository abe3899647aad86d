/**
 * The server's HTTP API. Paths are relative to the page's base, so that any path prefix works.
 * Failures: UnreachableError (no answer, or only a proxy's), UnauthorizedError (sign in), AnswerError (the server refused, and says why).
 */
import type { BackfillJob, Completeness, Energy, Entity, EntityCompleteness, ErrorBody, HourCompleteness, Readings, Resolution, Statistics, Status, Sync } from './types';
import { isoOf } from '../domain/time';

export const UNREACHABLE = 'server_unreachable';

export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = UNREACHABLE;
}

export class UnauthorizedError extends Error {
  override readonly name = 'UnauthorizedError';
  readonly code = 'unauthorized';
}

export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly field: string | null = null,
  ) {
    super(message);
  }
}

export type ApiFailure = UnreachableError | UnauthorizedError | AnswerError;

export function isApiFailure(error: unknown): error is ApiFailure {
  return error instanceof UnreachableError || error instanceof UnauthorizedError || error instanceof AnswerError;
}

type Parameters = Record<string, string | number>;

const GATEWAY_STATUS = [502, 504];

function address(path: string, parameters: Parameters = {}): URL {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value));
  return url;
}

/** Where all that is stored of a Site comes as a file. */
export const exportAddress = (site: string, data: 'readings' | 'hour'): string => address('api/export', { site, data, start: '2000-01-01', end: '2099-01-01' }).href;

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof TypeError) throw new UnreachableError('No answer from the server.', { cause: error });
    throw error;
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a proxy's page in place of the server's answer; the caller judges by the status
  }
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const body = await bodyOf(response);
  if (isErrorBody(body)) {
    if (response.status === 401) return new UnauthorizedError(body.error.message);
    return new AnswerError(body.error.code, body.error.message, response.status, body.error.field);
  }
  if (response.status === 401) return new UnauthorizedError('Sign in first.');
  if (GATEWAY_STATUS.includes(response.status)) return new UnreachableError('Only a proxy answers.');
  return new AnswerError('bad_answer', `The answer was HTTP ${response.status} without a reason.`, response.status);
}

async function read(path: string, parameters?: Parameters, signal?: AbortSignal): Promise<unknown> {
  const response = await send(address(path, parameters), signal ? { signal } : {});
  if (!response.ok) throw await failureOf(response);
  const body = await bodyOf(response);
  if (body === undefined) throw new AnswerError('bad_answer', 'The answer was not the server’s.', response.status);
  return body;
}

export async function fetchStatus(): Promise<Status> {
  return (await read('api/status')) as Status;
}

export async function fetchEntities(): Promise<Entity[]> {
  return ((await read('api/entities')) as { entities: Entity[] }).entities;
}

export async function fetchReadings(site: string, key: string, startUs: number, endUs: number, signal?: AbortSignal): Promise<Readings> {
  return (await read('api/readings', { site, key, start: isoOf(startUs), end: isoOf(endUs) }, signal)) as Readings;
}

/** Hourly Statistics of one Entity. */
export async function fetchHours(site: string, key: string, startUs: number, endUs: number, signal?: AbortSignal): Promise<Statistics> {
  return (await read('api/statistics', { site, key, level: 'hour', start: isoOf(startUs), end: isoOf(endUs) }, signal)) as Statistics;
}

export interface EnergyQuery {
  site: string;
  zone: string;
  startUs: number;
  endUs: number;
  resolution: Resolution;
}

export async function fetchEnergy({ site, zone, startUs, endUs, resolution }: EnergyQuery, signal?: AbortSignal): Promise<Energy> {
  return (await read('api/energy', { site, zone, start: isoOf(startUs), end: isoOf(endUs), resolution }, signal)) as Energy;
}

export async function fetchCompleteness(site: string, zone: string, startUs: number, endUs: number): Promise<Completeness> {
  return (await read('api/completeness', { site, zone, start: isoOf(startUs), end: isoOf(endUs) })) as Completeness;
}

export async function fetchSync(site: string, signal?: AbortSignal): Promise<Sync> {
  return (await read('api/sync', { site }, signal)) as Sync;
}

/** Each Entity's completeness over a span. */
export async function fetchEntityCompleteness(site: string, zone: string, startUs: number, endUs: number, signal?: AbortSignal): Promise<EntityCompleteness> {
  return (await read('api/completeness/entities', { site, zone, start: isoOf(startUs), end: isoOf(endUs) }, signal)) as EntityCompleteness;
}

/** The hours of a span, over all Entities. */
export async function fetchHourCompleteness(site: string, zone: string, startUs: number, endUs: number, signal?: AbortSignal): Promise<HourCompleteness> {
  return (await read('api/completeness/hours', { site, zone, start: isoOf(startUs), end: isoOf(endUs) }, signal)) as HourCompleteness;
}

async function change(method: 'POST' | 'DELETE', url: URL, body?: object): Promise<unknown> {
  const response = await send(url, body ? { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : { method });
  if (!response.ok) throw await failureOf(response);
  return bodyOf(response);
}

export interface BackfillQuery {
  site: string;
  /** Null for all Entities. */
  keys: readonly string[] | null;
  startUs: number;
  endUs: number;
}

/** Fetches the readings of a span again from Home Assistant's recorder. */
export async function createBackfill({ site, keys, startUs, endUs }: BackfillQuery): Promise<BackfillJob> {
  return (await change('POST', address('api/backfill'), { site, ...(keys ? { keys } : {}), start: isoOf(startUs), end: isoOf(endUs) })) as BackfillJob;
}

export async function cancelBackfill(id: string): Promise<BackfillJob> {
  return (await change('DELETE', address(`api/backfill/${encodeURIComponent(id)}`))) as BackfillJob;
}

/** Home Assistant's clock is right although it is behind what is recorded. */
export async function believeClock(site: string): Promise<void> {
  await change('POST', address('api/sync/clock', { site }));
}

/** Exchanges the token for a session cookie. */
export async function signIn(token: string): Promise<void> {
  const body = JSON.stringify({ token });
  const response = await send(address('api/session'), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  if (!response.ok) throw await failureOf(response);
}
