/** In the same process as global-setup.mjs, so the module and the servers it holds are the same. */
export default async function globalTeardown() {
  const { stopSharedServers } = await import('./shared-servers.ts');
  await stopSharedServers();
}
