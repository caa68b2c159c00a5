// Installs and builds what is missing, and no more: what `npm start` and `npm test` do first.
import { ensureBuilt, ensureInstalled } from './ensure-installed.mjs';

ensureInstalled();
ensureBuilt();
