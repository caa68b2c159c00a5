/** Why a database cannot be used, in one line for people: which one, without its user and password, and what it said. */
export function databaseProblem(url: string, cause: unknown): string {
  const { hostname, port, pathname } = new URL(url);
  return `The database at ${hostname}:${port === '' ? '5432' : port}${pathname} cannot be used: ${reasonOf(cause)}`;
}

/** A host of several addresses that all refuse is an AggregateError, whose own message is empty. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return cause instanceof Error && cause.message !== '' ? cause.message : String(cause);
}
