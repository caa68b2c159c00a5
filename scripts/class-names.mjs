/** What esbuild's `keepNames` writes: one helper, called by each class when it is made, and around each function. */
const HELPER = /var __name = \((\w+), value\) => __defProp\(\1, "name", \{ value, configurable: true \}\);/;
const OF_CLASS = /static \{(\s*)__name\(this, ("[^"]*")\);/g;

/**
 * Nest names its providers by their classes, OpenAPI its schemas, the log its errors. Functions' names are in traces alone,
 * and to give each closure its name back every time it is made took a fifth of a worker's processor time.
 *
 * @param {readonly string[]} texts the files that esbuild made with `keepNames`
 * @returns {string[]} the same, line by line, with names for classes alone
 */
export function classNamesAlone(texts) {
  if (texts.filter((text) => HELPER.test(text)).length !== 1) {
    throw new Error('esbuild keeps names in another way than it did: see scripts/class-names.mjs');
  }
  return texts.map((text) =>
    text
      .replace(HELPER, 'var __name = (target) => target;')
      .replaceAll(
        OF_CLASS,
        'static {$1Object.defineProperty(this, "name", { value: $2, configurable: true });',
      ),
  );
}
