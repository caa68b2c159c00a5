import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';

const TYPE_A = 1;
const TYPE_AAAA = 28;
const HEADER_BYTES = 12;
const NO_ERROR = 0x8180;
const SERVER_FAILURE = 0x8182;
const NO_SUCH_NAME = 0x8183;

/** The addresses of one answer (IPv4 and IPv6 mixed), or what the server does instead of answering. */
export type DnsAnswer = readonly string[] | 'silence' | 'servfail';

/**
 * A DNS server on a free UDP port of loopback, for tests: A and AAAA with TTL 0, from a table that may change at any time.
 *
 * @example
 * const dns = await DnsServer.start();
 * dns.set('hook.customer.com', ['93.184.216.34'], ['127.0.0.1']); // first lookup, then all later ones
 */
export class DnsServer {
  readonly #answers = new Map<string, DnsAnswer[]>();
  /** Lookups per name; an A and an AAAA query of one lookup count once. */
  readonly #lookups = new Map<string, number>();

  private constructor(
    private readonly socket: Socket,
    readonly address: string,
  ) {
    socket.on('message', (query, from) => this.#reply(query, from));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, '127.0.0.1', resolve));
    return new DnsServer(socket, `127.0.0.1:${socket.address().port}`);
  }

  /** What successive lookups of `name` are told; the last answer stays. Names never set do not exist. */
  set(name: string, ...answers: DnsAnswer[]): void {
    this.#answers.set(name, answers);
    this.#lookups.delete(name);
  }

  lookupsOf(name: string): number {
    return this.#lookups.get(name) ?? 0;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }

  #reply(query: Buffer, from: RemoteInfo): void {
    const { name, type, end } = readQuestion(query);
    const answers = this.#answers.get(name);
    // A is always asked first; with both types on one clock a "lookup" is what the A queries count.
    if (type === TYPE_A) this.#lookups.set(name, this.lookupsOf(name) + 1);
    const turn = Math.max(this.lookupsOf(name), 1);
    const answer = answers?.[Math.min(turn, answers.length) - 1];
    if (answer === 'silence') return;
    const addresses = Array.isArray(answer) ? (answer as readonly string[]) : [];
    const records = addresses
      .filter((ip) => isIPv4(ip) === (type === TYPE_A))
      .map((ip) => recordOf(ip, type));
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(answer === 'servfail' ? SERVER_FAILURE : answer ? NO_ERROR : NO_SUCH_NAME, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    this.socket.send(
      Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...records]),
      from.port,
      from.address,
    );
  }
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function recordOf(ip: string, type: number): Buffer {
  const data = type === TYPE_AAAA ? ipv6Bytes(ip) : Buffer.from(ip.split('.').map(Number));
  // A pointer to the question's name, then type, class IN, TTL 0 and the address.
  const head = Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(ip: string): Buffer {
  // The URL parser writes every IPv6 address, dotted tails included, as hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${ip}]/`).hostname.slice(1, -1).split('::');
  const front = head.split(':').filter(Boolean);
  const back = tail?.split(':').filter(Boolean) ?? [];
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
