/** User name and password of a connection URL, in whatever text it got into: up to the last `@` of the word. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s'"`]*@/gi;

/** Errors and libraries may quote the URL that they were given; what is printed of it names the server alone. */
export function withoutCredentials(text: string): string {
  return text.includes('@') ? text.replace(CREDENTIALS, '$1***@') : text;
}
