import { register } from 'node:module';

register('./ts-hooks.mjs', import.meta.url);

/** Once per jest run, before the first test of a project that names it in jest.config.mjs. */
export default async function globalSetup() {
  const { startSharedServers } = await import('./shared-servers.ts');
  await startSharedServers();
}
