const BEYOND_ASCII = /[\u0080-\uffff]/g;

/**
 * V8 keeps the text of a program as long as it runs, in one byte for each character, or in two when a single one is beyond Latin-1:
 * a dash in a comment of some package costs a service 11 MiB. esbuild writes strings, templates and names in ASCII and leaves comments
 * and patterns as they are, where an escape says the same. ASCII alone, so that it is also read in one go as it is written (load-script.mjs).
 *
 * @param {string} text a file that esbuild made
 * @returns {string} the same, line by line
 */
export function oneByteText(text) {
  return text.replace(
    BEYOND_ASCII,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
