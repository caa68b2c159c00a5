import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { codeBlocksOf, readDocument, sectionOf } from '../documentation/markdown.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { startServer, type ServerProcess } from '../support/server-process.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WAIT_MS = 120_000;
/** A first boot of the embedded database takes seconds, many on a loaded machine. */
const BOOT_MS = 120_000;
const MISSING = ['bash', 'curl', 'python3', 'openssl'].filter((name) => !isOnPath(name));

if (MISSING.length > 0 && process.env['CI'] !== 'true') {
  process.stderr.write(
    `\nSKIPPED: the walk of README.md is not tried: ${MISSING.join(', ')} not on PATH\n\n`,
  );
}
const describeWalk = MISSING.length > 0 && process.env['CI'] !== 'true' ? describe.skip : describe;

function isOnPath(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** A shell of the walk: what it printed so far, and an end. A group of its own, so that what it started ends with it. */
class Shell {
  output = '';
  private readonly child: ChildProcess;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.child = spawn('bash', command, { cwd: ROOT, env, detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  /** Types a block, and answers what it printed. */
  async type(block: string): Promise<string> {
    const from = this.output.length;
    this.child.stdin?.write(`${block}\necho "[typed]"\n`);
    await this.printed('[typed]', from);
    return this.output.slice(from).replace('[typed]', '').trim();
  }

  async printed(text: string, from = 0): Promise<void> {
    await eventually(() => expect(this.output.slice(from)).toContain(text), { timeoutMs: WAIT_MS });
  }

  /** Ctrl-C. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'close');
    if (this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL');
    await ended;
  }
}

/** Red when a command of the walk, an answer that it promises, or what `npm start` prints no longer fits. */
describeWalk('the two-minute walk of README.md', () => {
  let server: ServerProcess;
  let receiverPort = 0;
  const shells: Shell[] = [];
  const blocks = codeBlocksOf(sectionOf(readDocument('README.md'), '## Two-minute walk'));

  const open = (command: readonly string[], env?: NodeJS.ProcessEnv): Shell => {
    const shell = new Shell(command, env);
    shells.push(shell);
    return shell;
  };
  /** The next block, with a port that is free here. */
  const next = (): string => (blocks.shift()?.code ?? '').replaceAll('8888', String(receiverPort));
  const receiver = async (): Promise<Shell> => {
    const shell = open(['-c', `exec ${next()}`]);
    await shell.printed('listening on');
    return shell;
  };

  beforeAll(async () => {
    receiverPort = await freePort();
    // As on a fresh clone: no variable but the port.
    server = await startServer({ timeoutMs: BOOT_MS });
    // It serves a moment before it has said how to try it.
    await server.waitForLog(({ msg }) => msg?.includes('Ctrl-C stops') ?? false, WAIT_MS);
  }, BOOT_MS + WAIT_MS);

  afterAll(async () => {
    for (const shell of shells) await shell.stop();
    await server?.dispose();
  });

  it('does what it says, command by command', async () => {
    const exported = server.output.filter((line) => line.startsWith('export '));
    expect(exported.map((line) => line.split('=')[0])).toEqual(['export URL', 'export TOKEN']);
    const shell = open([]);
    await shell.type(exported.join('\n'));
    await shell.type(next());

    let python = await receiver();
    expect(JSON.parse(await shell.type(next()))).toMatchObject({ event: 'invoice.*', secret: '***' });
    const { delivery_ids: arrived } = JSON.parse(await shell.type(next())) as { delivery_ids: string[] };
    await python.printed(`verified ${arrived[0]} invoice.created`);
    expect(JSON.parse(await shell.type(next()))).toMatchObject([{ id: arrived[0], status: 'DELIVERED' }]);

    await python.stop();
    python = await receiver();
    const failed = (await shell.type(next())).split('\n').map((line) => JSON.parse(line) as unknown);
    expect(failed[1]).toMatchObject([{ status: 'FAILED', attempts: 1, last_error: 'HTTP 401' }]);
    const detail = JSON.parse(await shell.type(next())) as { id: string };
    expect(detail).toMatchObject({ attempt_log: [{ response_body: 'X-Signature does not fit' }] });

    await python.stop();
    python = await receiver();
    expect(JSON.parse(await shell.type(next()))).toMatchObject({ queued: true });
    await python.printed(`verified ${detail.id} invoice.created`);
    await eventually(
      async () =>
        expect(JSON.parse(await shell.type('api "$HOOKS/deliveries/$ID"'))).toMatchObject({
          status: 'DELIVERED',
          attempt_log: [{ trigger: 'auto' }, { trigger: 'manual' }],
        }),
      { timeoutMs: WAIT_MS },
    );

    const verified = python.output.length;
    expect(JSON.parse(await shell.type(next()))).toMatchObject({ number: 'F-2026-0042', status: 'draft' });
    await eventually(
      () => expect(python.output.slice(verified)).toMatch(/^verified \S+ invoice\.created$/m),
      { timeoutMs: WAIT_MS },
    );
    await python.stop();

    const nc = next();
    const emit = next();
    const signature = /[0-9a-f]{64}/.exec(await shell.type(next()))?.[0] ?? 'no signature';
    expect(blocks).toEqual([]);
    if (!isOnPath('nc')) return;
    const isTraditional = spawnSync('nc', ['-h']).stderr.toString().includes('[v1.10');
    const raw = open(['-c', isTraditional ? nc.replace('nc -l ', 'nc -l -p ') : nc]);
    expect(JSON.parse(await shell.type(emit))).toMatchObject({ count: 1 });
    await raw.printed('{"number":"F-2026-0003"}');
    expect(raw.output).toContain(`X-Signature: sha256=${signature}`);
  }, 180_000);

  it(
    'prints a curl line that works',
    async () => {
      const line = server.output.find((text) => text.startsWith('curl ')) ?? 'false';
      const answer = spawnSync('bash', ['-c', line], { encoding: 'utf8' });

      expect(JSON.parse(answer.stdout)).toBeInstanceOf(Array);
    },
    WAIT_MS,
  );
});
