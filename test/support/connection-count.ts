import { createHook } from 'node:async_hooks';

/**
 * Counts the TCP connections that this process starts to open, whether they succeed or not: the resource that Node makes
 * for each `connect` is seen, so nothing depends on a server noticing, or on time. DNS queries are not among them.
 */
export function countConnects(): { readonly count: () => number; readonly stop: () => void } {
  let connects = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'TCPCONNECTWRAP') connects += 1;
    },
  });
  hook.enable();
  return { count: () => connects, stop: () => void hook.disable() };
}
