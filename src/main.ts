import 'reflect-metadata';

import { run } from './server.js';

process.exit(await run(process.env));
