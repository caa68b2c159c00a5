/** Headers as Node, Fastify, Express or `fetch` give them; names in any case. */
export type ReceivedHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | { get(name: string): string | null };

/** The header's value, '' when absent; a header that came several times is joined by spaces. */
export function headerOf(headers: unknown, name: string): string {
  if (typeof headers !== 'object' || headers === null) return '';
  if ('get' in headers && typeof headers.get === 'function') {
    return textOf((headers as { get(name: string): unknown }).get(name));
  }
  const key = Object.keys(headers).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? '' : textOf((headers as Readonly<Record<string, unknown>>)[key]);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string').join(' ');
  return typeof value === 'string' ? value : '';
}
