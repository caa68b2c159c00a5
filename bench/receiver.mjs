/**
 * The receiver of the benchmarks: as little HTTP as will do, so that it bounds nothing. `/ok…` is answered at once,
 * `/aside…` too and not counted, `/moody…` never, a byte a second, or with 500, as it is told. A delivery to `/second…` is answered when it comes again. Of a batch each event counts. It tells over IPC when the wanted number of requests has come, and how long they took from `sentAtMs`
 * in their bodies, when there is one.
 */
import { createServer } from 'node:net';

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

let count = 0;
let wanted = Infinity;
let firstAtMs = 0;
let latencies = [];
let mood = 'hang';
const seen = new Set();

const FAILED = Buffer.from('HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n');
const DRIPPING = 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n';

function answerMoody(socket) {
  if (mood === 'fail') socket.write(FAILED);
  if (mood !== 'drip') return;
  socket.write(DRIPPING);
  const dripping = setInterval(() => socket.write('.'), 1_000);
  socket.on('close', () => clearInterval(dripping));
}

function isFirst(head) {
  const id = /\r\nwebhook-id: *(\S+)/i.exec(head)?.[1];
  if (seen.has(id)) return false;
  seen.add(id);
  process.send({ first: seen.size });
  return true;
}

function received(body) {
  if (count === 0) firstAtMs = performance.now();
  const wasOpen = count < wanted;
  count += body[0] === '[' ? body.split('"resource_type"').length - 1 : 1;
  const sent = /"sentAtMs":([\d.]+)/.exec(body)?.[1];
  if (sent !== undefined) latencies.push(performance.timeOrigin + performance.now() - Number(sent));
  if (wasOpen && count >= wanted)
    process.send({ seconds: (performance.now() - firstAtMs) / 1_000, count, latencies });
}

const server = createServer((socket) => {
  let pending = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = pending.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (pending.length < end + 4 + length) return;
      const body = pending.slice(end + 4, end + 4 + length);
      pending = pending.slice(end + 4 + length);
      if (head.startsWith('POST /moody')) {
        answerMoody(socket);
        continue;
      }
      if (head.startsWith('POST /second') && isFirst(head)) continue;
      if (!head.startsWith('POST /aside')) received(body);
      socket.write(ANSWER);
    }
  });
});

process.on('message', (message) => {
  if (message.mood !== undefined) {
    mood = message.mood;
    process.send({ ready: true });
    return;
  }
  seen.clear();
  count = 0;
  latencies = [];
  wanted = message.wanted;
  process.send({ ready: true });
});
process.on('disconnect', () => process.exit(0));
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () =>
  process.send({ port: server.address().port }),
);
