/** The server's half of a WebSocket, text only: enough for the mock's live messages. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface TextSocket {
  send: (text: string) => void;
  close: () => void;
}

function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length < 126) return Buffer.concat([Buffer.from([0x81, payload.length]), payload]);
  const header = Buffer.alloc(payload.length < 65536 ? 4 : 10);
  header[0] = 0x81;
  if (payload.length < 65536) {
    header[1] = 126;
    header.writeUInt16BE(payload.length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([header, payload]);
}

export function acceptWebSocket(request: IncomingMessage, socket: Duplex, onClose: () => void): TextSocket {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key'] ?? ''}${GUID}`)
    .digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on('close', onClose);
  socket.on('error', () => {
    socket.destroy();
  });
  socket.on('data', (data: Buffer) => {
    if (((data[0] ?? 0) & 0x0f) === 8) socket.end();
  });
  return {
    send: (text) => {
      if (!socket.destroyed) socket.write(frameOf(text));
    },
    close: () => {
      socket.destroy();
    },
  };
}
