import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv4, type AddressInfo, type Server, type Socket } from 'node:net';

import { addressRecord, aliasRecord, answerTo, CODES, readQuestion, TYPES } from './dns-message.js';

/** Milliseconds after which what is late comes: after the other family's answer was read, and well within a resolver's patience. */
const LATE_MS = 50;

/** Bytes that a UDP answer may have without EDNS; longer ones come truncated and are asked for again over TCP. */
const UDP_BYTES = 512;

/** The addresses of one answer (IPv4 and IPv6 mixed), or what the server does instead of answering. */
export type DnsAnswer =
  | readonly string[]
  /** Through CNAME records, each in the same answer, to these addresses. */
  | { readonly via: readonly string[]; readonly addresses: readonly string[] }
  /** Over UDP only "truncated"; the addresses come over TCP. */
  | { readonly tcp: readonly string[] }
  /** Silence to queries for the other family. */
  | { readonly only: 4 | 6; readonly addresses: readonly string[] }
  /** The answer for this family comes a moment after the other one's. */
  | { readonly late: 4 | 6; readonly addresses: readonly string[] }
  | 'silence'
  | 'servfail'
  | 'refused'
  | 'garbage';

/**
 * A DNS server on a free port of loopback, over UDP and TCP, for tests: A, AAAA and CNAME with TTL 0, from a table that
 * may change at any time.
 *
 * @example
 * const dns = await DnsServer.start();
 * dns.set('hook.customer.com', ['93.184.216.34'], ['127.0.0.1']); // first lookup, then all later ones
 */
export class DnsServer {
  readonly #answers = new Map<string, DnsAnswer[]>();
  /** Lookups per name; an A and an AAAA query of one lookup count once. */
  readonly #lookups = new Map<string, number>();
  readonly #connections = new Set<Socket>();
  /** Queries that came over TCP. */
  tcpQueries = 0;

  private constructor(
    private readonly udp: UdpSocket,
    private readonly tcp: Server,
    readonly address: string,
  ) {
    udp.on('message', (query, from) => {
      const reply = this.#reply(query, 'udp');
      if (reply === null) return;
      const send = (): void => udp.send(reply, from.port, from.address);
      if (this.#isLate(query)) setTimeout(send, LATE_MS);
      else send();
    });
    tcp.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<DnsServer> {
    const tcp = createServer();
    await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(0, '127.0.0.1', resolve));
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    await new Promise<void>((resolve, reject) => udp.once('error', reject).bind(port, '127.0.0.1', resolve));
    return new DnsServer(udp, tcp, `127.0.0.1:${port}`);
  }

  /** What successive lookups of `name` are told; the last answer stays. Names never set do not exist. */
  set(name: string, ...answers: DnsAnswer[]): void {
    this.#answers.set(name, answers);
    this.#lookups.delete(name);
  }

  lookupsOf(name: string): number {
    return this.#lookups.get(name) ?? 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.tcp.close(() => resolve())),
      new Promise<void>((resolve) => this.udp.close(() => resolve())),
    ]);
  }

  /** Each message over TCP has its length in front. */
  #serve(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket)).on('error', () => socket.destroy());
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        this.tcpQueries += 1;
        const reply = this.#reply(pending.subarray(2, end), 'tcp');
        pending = pending.subarray(end);
        if (reply === null) continue;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      }
    });
  }

  /** What the lookup of a name that is under way is told. */
  #answerFor(name: string): DnsAnswer | undefined {
    const answers = this.#answers.get(name);
    const turn = Math.max(this.lookupsOf(name), 1);
    return answers?.[Math.min(turn, answers.length) - 1];
  }

  #isLate(query: Buffer): boolean {
    const { name, type } = readQuestion(query);
    const answer = this.#answerFor(name);
    return typeof answer === 'object' && 'late' in answer && (type === TYPES.a) === (answer.late === 4);
  }

  #reply(query: Buffer, over: 'udp' | 'tcp'): Buffer | null {
    const { name, type } = readQuestion(query);
    // A is always asked first; a query that comes again over TCP is the same lookup.
    if (type === TYPES.a && over === 'udp') this.#lookups.set(name, this.lookupsOf(name) + 1);
    const answer = this.#answerFor(name);
    if (answer === undefined) return answerTo(query, CODES.noSuchName, []);
    if (answer === 'silence') return null;
    if (answer === 'servfail') return answerTo(query, CODES.serverFailure, []);
    if (answer === 'refused') return answerTo(query, CODES.refused, []);
    if (answer === 'garbage') return Buffer.concat([query.subarray(0, 2), Buffer.alloc(40, 0xff)]);
    if ('only' in answer && (type === TYPES.a) !== (answer.only === 4)) return null;
    if ('tcp' in answer && over === 'udp') return answerTo(query, CODES.truncated, []);
    const reply = answerTo(query, CODES.noError, recordsOf(answer, type));
    return over === 'udp' && reply.length > UDP_BYTES ? answerTo(query, CODES.truncated, []) : reply;
  }
}

function recordsOf(answer: Exclude<DnsAnswer, string>, type: number): Buffer[] {
  const addresses = 'addresses' in answer ? answer.addresses : 'tcp' in answer ? answer.tcp : answer;
  const via = 'via' in answer ? answer.via : [];
  const matching = addresses.filter((ip) => isIPv4(ip) === (type === TYPES.a));
  return [
    ...via.map((alias, index) => aliasRecord(index === 0 ? null : (via[index - 1] ?? null), alias)),
    ...matching.map((ip) => addressRecord(via.at(-1) ?? null, ip, type)),
  ];
}
