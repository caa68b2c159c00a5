import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A document of the repository, by its path from the root. */
export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** What follows a heading, up to the next one of its level or above. */
export function sectionOf(markdown: string, heading: string): string {
  const lines = withoutCode(markdown).split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) throw new Error(`There is no heading "${heading}"`);
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const end = lines.findIndex((line, index) => {
    const hashes = /^(#+) /.exec(line)?.[1];
    return index > start && hashes !== undefined && hashes.length <= level;
  });
  return markdown
    .split('\n')
    .slice(start + 1, end === -1 ? undefined : end)
    .join('\n');
}

/** The cells of the rows of a section's first table, without its head. */
export function tableOf(section: string): string[][] {
  const [, , ...rows] = (/(^\|.*\n?)+/m.exec(section)?.[0] ?? '').trim().split('\n');
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

/** Every fenced block, with the language of its fence. */
export function codeBlocksOf(markdown: string): { readonly language: string; readonly code: string }[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** The levels of the headings, in order. */
export function headingLevelsOf(markdown: string): number[] {
  return [...withoutCode(markdown).matchAll(/^(#+) /gm)].map(([, hashes = '']) => hashes.length);
}

/** Blanked line by line, so that line numbers stay: a `#` in a shell block is no heading. */
function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, (block) => block.replace(/[^\n]/g, ''));
}
