// Installs and builds what is missing, and no more: what `npm start` and `npm test` do first. `install` installs alone.
import { ensureBuilt, ensureInstalled } from './ensure-installed.mjs';

ensureInstalled();
if (process.argv[2] !== 'install') ensureBuilt();
