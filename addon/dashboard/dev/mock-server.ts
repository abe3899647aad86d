/**
 * The API without a server, for `npm run dev` and component screenshots only; never part of a build.
 * `MOCK=<scenario>` chooses what it plays; `POST /mock/<scenario>` changes it while running. `MOCK=off` leaves /api to ENERGY_URL.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Plugin, ViteDevServer } from 'vite';
import type { LiveMessage, LiveRow, Resolution } from '../src/api/types.ts';
import * as answers from './answers.ts';
import { acceptWebSocket, type TextSocket } from './websocket.ts';

type Scenario = answers.Scenario;

const SILENT: readonly Scenario[] = ['stale', 'ha_off', 'empty', 'no_site'];
const nowUs = (): number => Date.now() * 1000;

class MockServer {
  readonly sockets = new Set<TextSocket>();
  private signedIn = false;

  constructor(public scenario: Scenario) {}

  handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://mock');
    if (url.pathname.startsWith('/mock/')) {
      this.change(url.pathname.slice('/mock/'.length) as Scenario);
      response.end();
      return;
    }
    if (this.scenario === 'down') {
      request.socket.destroy();
      return;
    }
    if (url.pathname === '/api/session') {
      this.session(request, response);
      return;
    }
    if (this.scenario === 'login' && !this.signedIn) {
      this.reply(response, 401, { error: { code: 'unauthorized', message: 'Sign in first.', field: null } });
      return;
    }
    const body = this.answer(url);
    setTimeout(
      () => {
        this.reply(response, body === null ? 404 : 200, body ?? { error: { code: 'not_found', message: 'There is no such thing.', field: null } });
      },
      this.scenario === 'slow' ? 4000 : 0,
    );
  }

  connect(socket: TextSocket): void {
    this.sockets.add(socket);
    const rows: LiveRow[] = answers.entities(this.scenario, nowUs()).flatMap((entity): LiveRow[] => (entity.latest ? [[entity.key, entity.latest.ts_us, entity.latest.value]] : []));
    this.sendTo(socket, { type: 'snapshot', now_us: nowUs(), rows, connected: { [answers.SITE_ID]: this.scenario !== 'ha_off' } });
  }

  tick(): void {
    if (SILENT.includes(this.scenario)) return;
    const us = nowUs();
    const rows: LiveRow[] = answers
      .sensors(this.scenario)
      .filter((sensor) => sensor.perMinute >= 20 && Math.random() < 0.4)
      .map((sensor): LiveRow => [sensor.key, us, answers.valueOf(sensor, us, this.scenario)]);
    for (const socket of this.sockets) this.sendTo(socket, { type: 'readings', rows });
  }

  private sendTo(socket: TextSocket, message: LiveMessage): void {
    socket.send(JSON.stringify(message));
  }

  private change(scenario: Scenario): void {
    this.scenario = scenario;
    this.signedIn = false;
    for (const socket of this.sockets) socket.close();
    this.sockets.clear();
  }

  private session(request: IncomingMessage, response: ServerResponse): void {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      this.signedIn = body.includes('demo');
      if (this.signedIn) response.writeHead(204).end();
      else this.reply(response, 401, { error: { code: 'unauthorized', message: 'The token is not right.', field: 'token' } });
    });
  }

  private answer(url: URL): unknown {
    const instant = (name: string): number => Date.parse(url.searchParams.get(name) ?? '') * 1000;
    switch (url.pathname) {
      case '/api/status':
        return answers.status(this.scenario, nowUs());
      case '/api/entities':
        return { entities: answers.entities(this.scenario, nowUs()) };
      case '/api/readings':
        return answers.readings(url.searchParams.get('key') ?? '', instant('start'), instant('end'), this.scenario, nowUs());
      case '/api/statistics':
        return answers.hours(url.searchParams.get('key') ?? '', instant('start'), instant('end'), this.scenario);
      case '/api/energy':
        return answers.energy(instant('start'), instant('end'), (url.searchParams.get('resolution') ?? 'hour') as Resolution, this.scenario, nowUs());
      case '/api/sync':
        return answers.sync(this.scenario, nowUs());
      case '/api/completeness/entities':
        return answers.entityCompleteness(instant('start'), instant('end'), this.scenario, nowUs());
      case '/api/completeness/hours':
        return answers.hourCompleteness(instant('start'), instant('end'), nowUs());
      case '/api/completeness':
        return answers.completeness(instant('start'), instant('end'), nowUs());
      default:
        return null;
    }
  }

  private reply(response: ServerResponse, code: number, body: unknown): void {
    response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }
}

function serve(server: ViteDevServer, mock: MockServer): void {
  server.middlewares.use((request, response, next) => {
    const path = request.url ?? '';
    if (path.startsWith('/api/') || path.startsWith('/mock/')) mock.handle(request, response);
    else next();
  });
  server.httpServer?.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    if (!request.url?.startsWith('/api/live')) return;
    if (mock.scenario === 'down' || mock.scenario === 'login') {
      socket.destroy();
      return;
    }
    const client: TextSocket = acceptWebSocket(request, socket, () => mock.sockets.delete(client));
    mock.connect(client);
  });
  const timer = setInterval(() => {
    mock.tick();
  }, 1000);
  server.httpServer?.on('close', () => {
    clearInterval(timer);
  });
}

export function mockServer(): Plugin {
  const scenario = process.env.MOCK ?? 'live';
  return {
    name: 'mock-server',
    apply: (_config, { command, mode }) => command === 'serve' && mode !== 'test',
    configureServer(server) {
      if (scenario !== 'off') serve(server, new MockServer(scenario as Scenario));
    },
  };
}
