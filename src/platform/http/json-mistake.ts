import { visit } from 'jsonc-parser';

/**
 * Where a text stops being JSON, in words without any of its characters: they may be of a secret, and the messages of
 * JSON.parse quote them.
 */
export function mistakeIn(text: string): string {
  let offset: number | undefined;
  visit(
    text,
    {
      onError: (_code, at) => {
        offset ??= at;
      },
    },
    { disallowComments: true },
  );
  if (offset === undefined) return 'it cannot be read';
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  return `see line ${line}, column ${column}`;
}
