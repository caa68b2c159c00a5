import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A neighbour that does not exist: what is sent to it arrives nowhere, and nobody says so. */
const NOBODY = '02:00:00:00:00:01';

interface Way {
  /** The interface and the address of this machine. */
  readonly outer: string;
  readonly here: string;
  /** Those of the namespace. */
  readonly inner: string;
  readonly there: string;
}

/**
 * A network namespace of a process to be cut off. It reaches this machine on two ways: one to databases and brokers, which
 * can be made silent (packets are dropped in both directions, nothing is refused), and one to receivers, which stays.
 */
export class CutOffNetwork {
  private readonly forwarders: Server[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly name: string,
    private readonly servers: Way,
    private readonly receivers: Way,
  ) {}

  /** @throws Error where this machine or this user may not make network namespaces */
  static async make(): Promise<CutOffNetwork> {
    const number = randomInt(0, 256);
    const name = `webhooks-${process.pid}-${number}`;
    const way = (kind: 's' | 'r', second: number): Way => ({
      outer: `wh${kind}o${process.pid % 10_000}x${number}`,
      inner: `wh${kind}i${process.pid % 10_000}x${number}`,
      here: `10.${second}.${number}.1`,
      there: `10.${second}.${number}.2`,
    });
    const network = new CutOffNetwork(name, way('s', 231), way('r', 232));
    await ip('netns', 'add', name);
    try {
      await network.inside('link', 'set', 'lo', 'up');
      for (const { outer, inner, here, there } of [network.servers, network.receivers]) {
        await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name);
        await ip('addr', 'add', `${here}/30`, 'dev', outer);
        await ip('link', 'set', outer, 'up');
        await network.inside('addr', 'add', `${there}/30`, 'dev', inner);
        await network.inside('link', 'set', inner, 'up');
      }
      return network;
    } catch (error) {
      await network.dispose();
      throw error;
    }
  }

  /** What stands before the command of a process to be run inside. */
  get launcher(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** The address at which a server inside is reached. */
  get host(): string {
    return this.receivers.there;
  }

  /** Where a receiver of this machine is reached, from inside and from outside. */
  async receiverUrl(url: string): Promise<string> {
    return this.forwarded(url, this.receivers.here);
  }

  /** Where a database or broker of this machine is reached from inside. */
  async serverUrl(url: string): Promise<string> {
    return this.forwarded(url, this.servers.here);
  }

  /** From now on no packet passes between the namespace and the databases and brokers. */
  async silence(): Promise<void> {
    const { outer, inner, here, there } = this.servers;
    await ip('neigh', 'replace', there, 'lladdr', NOBODY, 'dev', outer, 'nud', 'permanent');
    await this.inside('neigh', 'replace', here, 'lladdr', NOBODY, 'dev', inner, 'nud', 'permanent');
  }

  /** Ends the silence. */
  async speak(): Promise<void> {
    const { outer, inner, here, there } = this.servers;
    await ip('neigh', 'del', there, 'dev', outer);
    await this.inside('neigh', 'del', here, 'dev', inner);
  }

  /** Its interfaces go with it. */
  async dispose(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(
      this.forwarders.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    await ip('netns', 'del', this.name);
  }

  /** The same port at another address of this machine, for a server that listens on 127.0.0.1 alone. */
  private async forwarded(url: string, host: string): Promise<string> {
    const target = new URL(url);
    const port = Number(target.port);
    const isThere = this.forwarders.some((server) => {
      const address = server.address();
      return (
        address !== null && typeof address === 'object' && address.address === host && address.port === port
      );
    });
    if (!isThere) {
      const server = createServer((from) => this.pipe(from, connect(port, '127.0.0.1')));
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
      this.forwarders.push(server);
    }
    target.hostname = host;
    return target.toString();
  }

  private pipe(from: Socket, to: Socket): void {
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.sockets.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
  }

  private async inside(...args: string[]): Promise<void> {
    await ip('-n', this.name, ...args);
  }
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}
