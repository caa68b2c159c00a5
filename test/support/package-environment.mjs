import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import vm, { Script } from 'node:vm';

import { TestEnvironment } from 'jest-environment-node';

/** Compiled once for a process of jest's, which runs many test files. */
const scripts = new Map();

/**
 * Node's environment, in which scripts of scripts/test-packages.mjs can be run: once for each test file. Its global object is an
 * ordinary one: on the one that jest makes, each mention of `Array` or `Buffer` is a call, a hundred times as dear.
 */
export default class PackageEnvironment extends TestEnvironment {
  constructor(config, context) {
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
    const ran = new Map();
    this.global[Symbol.for('webhooks.runScript')] = (file, require, dynamicImport) => {
      if (ran.has(file)) return ran.get(file);
      const module = { exports: {} };
      const run = scriptOf(file).runInContext(this.context);
      run(module.exports, require, module, file, dirname(file), dynamicImport);
      ran.set(file, module.exports);
      return module.exports;
    };
  }
}

function scriptOf(file) {
  const script = scripts.get(file) ?? new Script(readFileSync(file, 'latin1'), { filename: file });
  scripts.set(file, script);
  return script;
}
