import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

type Message = Readonly<Record<string, unknown>>;

/** A script of this folder as a process of its own, talked to over IPC. */
export class Child {
  private readonly messages: Message[] = [];
  private waiting: ((message: Message) => void) | null = null;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: Message) => {
      if (this.waiting === null) this.messages.push(message);
      else this.waiting(message);
    });
    child.on('exit', (code) => {
      if (code !== 0 && code !== null) this.waiting?.({ error: `ended with ${code}` });
    });
  }

  /** @returns the child and its first message */
  static async start(script: string, env: Readonly<Record<string, string>> = {}): Promise<[Child, Message]> {
    const child = new Child(
      fork(join(import.meta.dirname, script), {
        env: { PATH: process.env['PATH'] ?? '', ...env },
        stdio: 'inherit',
      }),
    );
    return [child, await child.next(20_000)];
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  send(message: Message): void {
    this.child.send(message);
  }

  /** @throws Error when nothing came within `timeoutMs` milliseconds, or the child failed. */
  async next(timeoutMs: number): Promise<Message> {
    const message = this.messages.shift() ?? (await this.wait(timeoutMs));
    if (typeof message['error'] === 'string') throw new Error(message['error']);
    return message;
  }

  stop(): void {
    // One that failed has ended already; its error is what is to be seen.
    if (this.child.connected) this.child.disconnect();
  }

  private async wait(timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no message of the child within ${timeoutMs} ms`));
      }, timeoutMs);
      this.waiting = (message) => {
        clearTimeout(timer);
        this.waiting = null;
        resolve(message);
      };
    });
  }
}
