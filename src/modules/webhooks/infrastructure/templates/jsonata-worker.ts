/**
 * What runs in the sandbox's thread, as text: a thread starts from a file or a text, and a text is the same in the build and
 * in the sources. It knows JSONata, the expression and one event, and nothing of the process: no environment, no handles.
 */
export const JSONATA_WORKER = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const jsonata = require(workerData.jsonata);

/* A regular expression cannot be interrupted from within; the others make the same event give other bytes, or run text. */
const REFUSED = new Set(['eval', 'random', 'shuffle']);
const LIMITS = { stack: 500, sequence: 200000, timeout: workerData.timeoutMs };

function refusal(node, seen) {
  if (node === null || typeof node !== 'object' || seen.has(node)) return null;
  seen.add(node);
  if (node.type === 'regex' || node.value instanceof RegExp) return 'regular expressions are not allowed at ' + node.position;
  if (node.type === 'variable' && REFUSED.has(node.value)) return '$' + node.value + ' is not allowed at ' + node.position;
  for (const key of Object.keys(node)) {
    const found = refusal(node[key], seen);
    if (found !== null) return found;
  }
  return null;
}

function reasonOf(error) {
  const message = String(error && error.message || error).slice(0, 300);
  return message + (error && Number.isInteger(error.position) ? ' at ' + error.position : '');
}

function compiled(expression) {
  const made = jsonata(expression, LIMITS);
  const refused = refusal(made.ast(), new Set());
  if (refused !== null) throw new Error(refused);
  return made;
}

/* The same event gives the same bytes at every attempt: the time is that of the event. */
async function evaluate(expression, payload, event) {
  const timeMs = Date.parse(event.timestamp);
  const now = (picture, timezone) =>
    jsonata('$fromMillis(ms, picture, zone)').evaluate({ ms: timeMs, picture, zone: timezone });
  return compiled(expression).evaluate(JSON.parse(payload), { now, millis: () => timeMs, event });
}

parentPort.on('message', async ({ kind, expression, payload, event }) => {
  try {
    if (kind === 'check') {
      compiled(expression);
      parentPort.postMessage({ kind: 'made', text: '' });
      return;
    }
    const result = await evaluate(expression, payload, event);
    if (result === null || typeof result !== 'object') {
      const what = result === undefined ? 'nothing' : typeof result;
      parentPort.postMessage({ kind: 'failed', reason: 'the result must be an object or an array, not ' + what });
      return;
    }
    const text = JSON.stringify(result);
    const tooBig = Buffer.byteLength(text) > workerData.maxOutputBytes;
    parentPort.postMessage(tooBig
      ? { kind: 'failed', reason: 'the result has more than ' + workerData.maxOutputBytes + ' bytes' }
      : { kind: 'made', text });
  } catch (error) {
    const isLimit = error && (error.code === 'D1012' || error.code === 'U1001');
    parentPort.postMessage({ kind: isLimit ? 'exhausted' : 'failed', reason: reasonOf(error) });
  }
});
parentPort.postMessage({ kind: 'ready' });
`;
