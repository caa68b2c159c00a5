/** Where a session of the panel begins and ends: beside the page that it is of. */
const SESSION_PATH = '/panel/session';

/** What is counted, and kept by no cache: the API, and that way into it. Pages, health, metrics and documentation are neither. */
export function isApi(path: string): boolean {
  return path.startsWith('/api/') || path === SESSION_PATH;
}
