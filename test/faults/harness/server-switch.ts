import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One address in front of servers that take each other's place, as a virtual address or a proxy is. */
export class ServerSwitch {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private target: number | null,
  ) {}

  /** @param port of 127.0.0.1, where it leads at first */
  static async to(port: number): Promise<ServerSwitch> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const made = new ServerSwitch(server, port);
    server.on('connection', (from) => {
      made.forward(from);
    });
    return made;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection; from now on it leads to `port`, or nowhere. */
  lead(port: number | null): void {
    this.target = port;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.lead(null);
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private forward(from: Socket): void {
    if (this.target === null) {
      from.destroy();
      return;
    }
    const to = connect(this.target, '127.0.0.1');
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
}
