/**
 * `npm run check`: every gate that a change must pass, two at a time. `node scripts/check.mjs lint arch` runs only those.
 * A gate that fails shows its output and the command that mends it.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { COMPILER } from './compiler.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Slowest first, so that two workers end at about the same time. */
const GATES = [
  {
    name: 'lint',
    command: [bin('oxlint'), '--report-unused-disable-directives'],
    mend: 'npm run lint:fix, then what is left by hand',
  },
  {
    name: 'types',
    command: [process.execPath, COMPILER, '--noEmit', '-p', 'tsconfig.json'],
    mend: 'correct the types; npm run types shows the errors alone',
  },
  {
    name: 'unit tests',
    command: [process.execPath, join(root, 'scripts/jest.mjs'), '--selectProjects', 'unit', '--silent'],
    mend: 'npm run test:unit -- <file> runs one file',
  },
  {
    name: 'arch',
    command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', 'src'],
    mend: 'move the import to where its layer allows it; the rule above says why (CONTRIBUTING.md, "Who may import whom")',
  },
  {
    name: 'format',
    command: [bin('oxfmt'), '--check'],
    mend: 'npm run format:fix',
  },
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !GATES.some((gate) => gate.name === name));
if (unknown.length > 0) {
  console.error(
    `Unknown gate: ${unknown.join(', ')}. There are: ${GATES.map((gate) => gate.name).join(', ')}`,
  );
  process.exit(2);
}

const waiting = GATES.filter((gate) => asked.length === 0 || asked.includes(gate.name));
const failed = [];
await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
if (failed.length > 0) {
  console.error(`\n${failed.length} of ${asked.length || GATES.length} gates failed:`);
  for (const gate of failed) console.error(`  ${gate.name}: ${gate.mend}`);
  process.exitCode = 1;
}

async function work() {
  for (let gate = waiting.shift(); gate; gate = waiting.shift()) {
    const { ok, output, seconds } = await run(gate.command);
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${gate.name} (${seconds} s)`);
    if (ok) continue;
    failed.push(gate);
    console.log(output);
  }
}

function run([command, ...args]) {
  const startedMs = performance.now();
  return new Promise((done) => {
    const chunks = [];
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => chunks.push(Buffer.from(`${error.message}: is it installed? npm ci\n`)));
    child.on('close', (code) => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      done({ ok: code === 0, output: Buffer.concat(chunks).toString(), seconds });
    });
  });
}
