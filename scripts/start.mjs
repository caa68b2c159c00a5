// `npm start`: installs and builds what is missing, then becomes the server.
import { ensureBuilt, ensureInstalled } from './ensure-installed.mjs';

await ensureInstalled();
await ensureBuilt();
await import('../dist/main.js');
