// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AnswerError, UnauthorizedError, UnreachableError, fetchEnergy, fetchStatus, signIn } from '../src/api/client';

interface Seen {
  method: string;
  url: string;
  body: string;
}

let server: Server;
let answer: { status: number; body: string };
let seen: Seen[];

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', body });
      response.writeHead(answer.status, { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = document.createElement('base');
  base.href = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/of/a/proxy/`;
  document.head.replaceChildren(base);
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

const refused = (code: string): string => JSON.stringify({ error: { code, message: 'No.', field: 'start' } });

describe('the client', () => {
  it('asks below the page’s base, in UTC', async () => {
    answer = { status: 200, body: '{}' };
    await fetchEnergy({ site: 'home', zone: 'Europe/Berlin', startUs: 0, endUs: 3_600_000_000, resolution: 'hour' });
    const url = new URL(seen[0]?.url ?? '', 'http://x');
    expect(url.pathname).toBe('/prefix/of/a/proxy/api/energy');
    expect(Object.fromEntries(url.searchParams)).toEqual({ site: 'home', zone: 'Europe/Berlin', start: '1970-01-01T00:00:00.000Z', end: '1970-01-01T01:00:00.000Z', resolution: 'hour' });
  });

  it.each([
    [401, refused('unauthorized'), UnauthorizedError],
    [401, '<html>', UnauthorizedError],
    [502, 'Bad gateway', UnreachableError],
    [504, '', UnreachableError],
    [400, refused('invalid_parameter'), AnswerError],
    [200, '<html>some other page</html>', AnswerError],
    [503, refused('store_unavailable'), AnswerError],
  ])('tells %s %s apart', async (status, body, kind) => {
    answer = { status, body };
    await expect(fetchStatus()).rejects.toBeInstanceOf(kind);
  });

  it('keeps the server’s code and field', async () => {
    answer = { status: 400, body: refused('invalid_parameter') };
    await expect(fetchStatus()).rejects.toMatchObject({ code: 'invalid_parameter', field: 'start', status: 400, message: 'No.' });
  });

  it('knows a server that is gone', async () => {
    await new Promise((resolve) => server.close(resolve));
    await expect(fetchStatus()).rejects.toBeInstanceOf(UnreachableError);
  });

  it('signs in with the token in the body, never in the address', async () => {
    answer = { status: 204, body: '' };
    await signIn('secret');
    expect(seen.at(-1)).toMatchObject({ method: 'POST', url: '/prefix/of/a/proxy/api/session', body: '{"token":"secret"}' });
  });
});
