import { expect, it } from '@jest/globals';

import { VARIABLES } from '../../src/platform/config/variables.js';
import { codeBlocksOf, headingLevelsOf, readDocument, sectionOf, tableOf } from './markdown.js';
import { SPANISH_DEFAULTS } from './spanish-defaults.js';

const ENGLISH = readDocument('README.md');
const SPANISH = readDocument('README.es.md');

/** Red when a variable is added, removed, renamed, or changes its default or its meaning without the README. */
it('README.md shows every variable as the code has it', () => {
  const documented = tableOf(sectionOf(ENGLISH, '## Configuration'));

  expect(documented).toEqual(
    Object.entries(VARIABLES).map(([name, variable]) => [`\`${name}\``, variable.default, variable.meaning]),
  );
});

it('README.es.md shows every variable with the same default, in Spanish where it is in words', () => {
  const documented = tableOf(sectionOf(SPANISH, '## Configuración'));

  expect(documented.map(([name, fallback]) => [name, fallback])).toEqual(
    Object.entries(VARIABLES).map(([name, { default: text }]) => [
      `\`${name}\``,
      SPANISH_DEFAULTS[text] ?? text,
    ]),
  );
  expect(documented.filter(([, , meaning = '']) => meaning.length < 10)).toEqual([]);
});

it('README.es.md has the sections of README.md', () => {
  expect(headingLevelsOf(SPANISH)).toEqual(headingLevelsOf(ENGLISH));
});

it('README.es.md has the commands of README.md, character by character', () => {
  expect(codeBlocksOf(SPANISH)).toEqual(codeBlocksOf(ENGLISH));
  expect(codeBlocksOf(ENGLISH).length).toBeGreaterThan(20);
});

it.each(['README.md', 'README.es.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md'])(
  '%s links to files and headings that exist',
  (path) => {
    const links = [...readDocument(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.filter(([, file, heading]) => !exists(file || path, heading));

    expect(broken.map(([link]) => link)).toEqual([]);
  },
);

function exists(path: string, heading: string | undefined): boolean {
  try {
    const text = path.endsWith('.md') ? readDocument(path) : '';
    return heading === undefined || anchorsOf(text).includes(heading);
  } catch (cause) {
    // A folder can be linked to, not read.
    return cause instanceof Error && 'code' in cause && cause.code === 'EISDIR';
  }
}

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
