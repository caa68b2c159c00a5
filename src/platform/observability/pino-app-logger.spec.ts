import { expect, it } from '@jest/globals';

import { PinoAppLogger } from './pino-app-logger.js';

// Pino refuses more than it writes at a time when the logger is made, not when it is built.
it('can be made as the service makes it, in lines for machines', () => {
  expect(() => new PinoAppLogger({ level: 'silent', pretty: false })).not.toThrow();
});
