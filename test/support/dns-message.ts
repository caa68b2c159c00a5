const HEADER_BYTES = 12;

export const TYPES = { a: 1, cname: 5, aaaa: 28 } as const;

/** Flags and response code of an answer: QR, RD, RA; `truncated` has TC as well. */
export const CODES = {
  noError: 0x8180,
  truncated: 0x8380,
  serverFailure: 0x8182,
  noSuchName: 0x8183,
  refused: 0x8185,
} as const;

export function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

export function answerTo(query: Buffer, code: number, records: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(HEADER_BYTES, readQuestion(query).end), ...records]);
}

/** @param owner null: the name that was asked for */
export function addressRecord(owner: string | null, ip: string, type: number): Buffer {
  return recordOf(owner, type, type === TYPES.aaaa ? ipv6Bytes(ip) : Buffer.from(ip.split('.').map(Number)));
}

/** @param owner null: the name that was asked for */
export function aliasRecord(owner: string | null, alias: string): Buffer {
  return recordOf(owner, TYPES.cname, nameBytes(alias));
}

function recordOf(owner: string | null, type: number, data: Buffer): Buffer {
  // A pointer to the question's name, or a name of its own; then type, class IN, TTL 0 and the data.
  const name = owner === null ? Buffer.from([0xc0, HEADER_BYTES]) : nameBytes(owner);
  return Buffer.concat([name, Buffer.from([0, type, 0, 1, 0, 0, 0, 0, 0, data.length]), data]);
}

function nameBytes(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function ipv6Bytes(ip: string): Buffer {
  // The URL parser writes every IPv6 address, dotted tails included, as hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${ip}]/`).hostname.slice(1, -1).split('::');
  const front = head.split(':').filter(Boolean);
  const back = tail?.split(':').filter(Boolean) ?? [];
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
