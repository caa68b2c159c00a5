import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateSecret } from '../../src/modules/webhooks/domain/generated-secret.js';
import { prepareSigner } from '../../src/modules/webhooks/domain/signature.js';
import { readDocument, sectionOf } from '../documentation/markdown.js';
import { eventually } from '../support/eventually.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Nest under a loaded machine takes seconds to boot. */
const BOOT_MS = 120_000;
const BODY = '{"zebra":1,"alpha":"ñ"}';
/** The helper of receivers, with whatever it imports beside itself. */
const HELPER = 'signature';

interface Receiver {
  readonly child: ChildProcess;
  readonly url: string;
  /** Everything printed so far. */
  readonly output: () => string;
}

/** The repository's layout in a scratch directory, so that the examples find the built helper without a build. */
let scratch = '';

function transpile(from: string, to: string): void {
  const { code } = transformSync(readFileSync(join(ROOT, from), 'utf8'), {
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
  });
  writeFileSync(join(scratch, to), code);
}

function transpileWithImports(name: string, done: Set<string>): void {
  if (done.has(name)) return;
  done.add(name);
  const source = `src/modules/webhooks/domain/${name}.ts`;
  transpile(source, `dist/modules/webhooks/domain/${name}.js`);
  for (const [, imported = ''] of readFileSync(join(ROOT, source), 'utf8').matchAll(
    / from '\.\/([\w-]+)\.js'/g,
  )) {
    transpileWithImports(imported, done);
  }
}

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'receiver-examples-'));
  mkdirSync(join(scratch, 'examples/receivers'), { recursive: true });
  mkdirSync(join(scratch, 'dist/modules/webhooks/domain'), { recursive: true });
  // With the name and the exports of the real one, by which the examples import the helper.
  copyFileSync(join(ROOT, 'package.json'), join(scratch, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(scratch, 'node_modules'));
  transpileWithImports(HELPER, new Set());
  for (const name of ['verify_inline.mjs', 'fastify.mjs', 'express.mjs', 'python_receiver.py']) {
    copyFileSync(join(ROOT, 'examples/receivers', name), join(scratch, 'examples/receivers', name));
  }
  transpile('examples/receivers/nest.controller.ts', 'examples/receivers/nest.controller.js');
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function start(command: string, args: string[], secret: string): Promise<Receiver> {
  const child = spawn(command, args, {
    cwd: join(scratch, 'examples/receivers'),
    env: { ...process.env, NODE_OPTIONS: '', WEBHOOK_SECRET: secret, PORT: '0' },
  });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) =>
      reject(new Error(`${command} ${args.join(' ')} ${why}; it printed: ${printed}`));
    const deadline = setTimeout(() => fail(`did not listen within ${BOOT_MS} ms`), BOOT_MS);
    const onData = (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      const address = /listening on (http:\S+)/.exec(printed)?.[1];
      if (address === undefined) return;
      clearTimeout(deadline);
      resolve(address);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('error', (error) => fail(`did not start: ${error.message}`));
    child.once('exit', (code) => fail(`ended with ${code}`));
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return { child, url, output: () => printed };
}

async function stop({ child }: Receiver): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A process's output may arrive after its answer. */
function eventuallyPrinted(receiver: Receiver, text: string): Promise<void> {
  return eventually(() => expect(receiver.output()).toContain(text));
}

const python = spawnSync('python3', ['--version']).status === 0;
if (!python && process.env['CI'] !== 'true') {
  process.stderr.write(
    '\nSKIPPED: examples/receivers/python_receiver.py is not tested: python3 is not on PATH\n\n',
  );
}

/** Only this example uses Express; the service itself does not. */
const express = ((): boolean => {
  try {
    createRequire(import.meta.url).resolve('express');
    return true;
  } catch {
    process.stderr.write(
      '\nSKIPPED: examples/receivers/express.mjs is not tested: express is not installed\n\n',
    );
    return false;
  }
})();

const examples: [name: string, command: string, args: string[]][] = [
  ['verify_inline.mjs', process.execPath, ['verify_inline.mjs']],
  ['fastify.mjs', process.execPath, ['fastify.mjs']],
  ['nest.controller.ts', process.execPath, ['nest.controller.js']],
];
if (express) examples.push(['express.mjs', process.execPath, ['express.mjs']]);
// In CI a missing python3 fails instead of skipping: the process does not start.
if (python || process.env['CI'] === 'true') {
  examples.push(['python_receiver.py', 'python3', ['python_receiver.py', '--port', '0']]);
}
const secrets: [kind: string, secret: string][] = [
  ['a generated secret', generateSecret()],
  ["a tenant's own secret", 'contraseña-propia'],
];
const cases = examples.flatMap((example) => secrets.map((secret) => [...example, ...secret] as const));

describe.each(cases)('examples/receivers/%s', (name, command, args, kind, secret) => {
  const signer = prepareSigner(secret);
  const now = () => Math.floor(Date.now() / 1000);
  let receiver: Receiver;

  beforeAll(async () => {
    receiver = await start(command, args, secret);
  }, BOOT_MS + 5_000);
  afterAll(() => stop(receiver));

  function signed(id: string, timestampSeconds: number, body = BODY): Record<string, string> {
    return {
      'content-type': 'application/json',
      'x-event': 'invoice.created',
      'x-signature': signer.xSignature(body),
      'webhook-id': id,
      'webhook-timestamp': String(timestampSeconds),
      'webhook-signature': signer.standard(id, timestampSeconds, body),
    };
  }
  async function post(headers: Record<string, string>, body = BODY): Promise<number> {
    const response = await fetch(receiver.url, { method: 'POST', headers, body });
    await response.arrayBuffer();
    return response.status;
  }

  it(`accepts a signed delivery and prints its id and event (${kind})`, async () => {
    expect(await post(signed('msg_ok', now()))).toBe(204);
    await eventuallyPrinted(receiver, 'verified msg_ok invoice.created');
  });

  it(`goes on through a rotation, whichever secret it has (${kind})`, async () => {
    const rotated = prepareSigner('another-secret');
    const headers = signed('msg_rotated', now());
    const both = (first: string | undefined, second: string): string => `${first ?? ''} ${second}`;
    const other = rotated.standard('msg_rotated', now(), BODY);
    // It has not been told the new secret yet.
    const before = {
      ...headers,
      'x-signature': rotated.xSignature(BODY),
      'x-signature-previous': signer.xSignature(BODY),
      'webhook-signature': both(other, headers['webhook-signature'] ?? ''),
    };
    // It has been told already.
    const after = {
      ...headers,
      'x-signature-previous': rotated.xSignature(BODY),
      'webhook-signature': both(headers['webhook-signature'], other),
    };
    expect([await post(before), await post(after)]).toEqual([204, 204]);
  });

  it.each(['application/json; charset=utf-8', 'application/cloudevents+json'])(
    `accepts a body of %s (${kind})`,
    async (type) => {
      expect(await post({ ...signed('msg_type', now()), 'content-type': type })).toBe(204);
    },
  );

  it(`accepts any one of several signatures (${kind})`, async () => {
    const headers = signed('msg_many', now());
    headers['webhook-signature'] = `v9,x v1,AAAA ${headers['webhook-signature']}`;
    expect(await post(headers)).toBe(204);
  });

  const asSigned = () => {};
  it.each<[string, (headers: Record<string, string>) => void, string]>([
    ['a changed body', asSigned, BODY.replace('1', '2')],
    ['a body that was parsed and serialised again', asSigned, JSON.stringify(JSON.parse(BODY), null, 1)],
    ['another id', (headers) => (headers['webhook-id'] = 'msg_other'), BODY],
    ['another timestamp', (headers) => (headers['webhook-timestamp'] = String(now() - 60)), BODY],
    [
      'no signature at all',
      (headers) => (delete headers['webhook-signature'], delete headers['x-signature']),
      BODY,
    ],
    ['a signature of nonsense', (headers) => (headers['webhook-signature'] = 'v1,é v1, ,'), BODY],
    [
      'an X-Signature of nonsense and no other',
      (headers) => ((headers['x-signature'] = 'é'), delete headers['webhook-signature']),
      BODY,
    ],
  ])(`refuses %s (${kind})`, async (_what, change, body) => {
    const headers = signed('msg_bad', now());
    change(headers);
    const before = receiver.output().length;
    expect(await post(headers, body)).toBe(401);
    await eventually(() => expect(receiver.output().slice(before)).toContain('refused'));
    expect(receiver.output()).not.toContain('verified msg_bad');
  });

  it(`refuses a genuine delivery that is older than five minutes (${kind})`, async () => {
    expect(await post(signed('msg_old', now() - 310))).toBe(401);
    expect(await post(signed('msg_future', now() + 310))).toBe(401);
  });

  // verify_inline shows the webhook-* headers alone, so that it fits on a page.
  it(`refuses a wrong X-Signature beside right webhook-* headers (${kind})`, async () => {
    const wrong = `sha256=${'0'.repeat(64)}`;
    const headers = { ...signed('msg_x', now()), 'x-signature': wrong, 'x-signature-previous': wrong };
    expect(await post(headers)).toBe(name === 'verify_inline.mjs' ? 204 : 401);
  });

  it(`is still up after all that, and has printed no secret (${kind})`, async () => {
    expect(await post(signed('msg_last', now()))).toBe(204);
    expect(receiver.output()).not.toContain(secret);
  });
});

it.each(['verify_inline.mjs', 'fastify.mjs', 'python_receiver.py'])(
  '%s does not start without a secret',
  (name) => {
    if (name.endsWith('.py') && !python) return;
    const { status, stderr } = spawnSync(name.endsWith('.py') ? 'python3' : process.execPath, [name], {
      cwd: join(scratch, 'examples/receivers'),
      env: { ...process.env, NODE_OPTIONS: '', WEBHOOK_SECRET: '', PORT: '0' },
      timeout: BOOT_MS,
    });
    expect(status).not.toBe(0);
    expect(String(stderr)).toContain('WEBHOOK_SECRET');
  },
);

/** What README.md shows is tested in the examples: the same lines stand there. */
it('README.md reads bodies and checks signatures as the examples do', () => {
  const section = sectionOf(readDocument('README.md'), '## For receivers');
  const lines = section.match(
    /WebhookSignature\.verifyRaw\(secret, \w+\.body, \w+\.headers\)|^(?:const (?:rawJson|json)|given) = .*$|^app\.addContentTypeParser.*$|any\(hmac.*$/gm,
  );
  const tested = ['express.mjs', 'fastify.mjs', 'python_receiver.py'].map((name) =>
    readDocument(`examples/receivers/${name}`),
  );
  expect(lines).toHaveLength(7);
  expect(lines?.filter((line) => !tested.some((text) => text.includes(line)))).toEqual([]);
});

describe('docs/receivers.md', () => {
  const page = readFileSync(join(ROOT, 'docs/receivers.md'), 'utf8');
  const excerpts = [...page.matchAll(/<!-- from (\S+) -->\n\n```\w+\n([\s\S]*?)```/g)];

  it('marks its excerpts', () => expect(excerpts.length).toBeGreaterThanOrEqual(5));

  it.each(excerpts.map(([, file, code]) => [file!, code!]))('quotes %s word for word', (file, code) => {
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain(code);
  });
});
