// `npm run token -- --tenant T [--scope "…"] [--ttl 1h]`: mints a signed token for development.
import { existsSync } from 'node:fs';

if (!existsSync(new URL('../dist/service/mint-token.js', import.meta.url))) {
  const { ensureBuilt, ensureInstalled } = await import('./ensure-installed.mjs');
  await ensureInstalled();
  await ensureBuilt();
}
const { runTokenCommand } = await import('../dist/service/mint-token.js');
process.exitCode = await runTokenCommand(process.argv.slice(2), process.env);
