/** Texts that must not appear anywhere, in any of the forms in which they could. */
export class Canaries {
  private readonly forms = new Map<string, string>();

  /** @param name how a finding is reported; the text itself would be a leak in the test's own output */
  add(name: string, text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    // A `whsec_` secret is base64 already: its key could be printed as hex as well.
    const key = text.startsWith('whsec_') ? Buffer.from(text.slice(6), 'base64') : bytes;
    const forms = [
      text,
      text.startsWith('whsec_') ? text.slice(6) : text,
      encodeURIComponent(text),
      JSON.stringify(text).slice(1, -1),
      bytes.toString('base64').replace(/=+$/, '').slice(0, -1),
      bytes.toString('hex'),
      key.toString('hex'),
    ];
    for (const form of forms) this.forms.set(form, name);
  }

  /** @returns the names of what was found, none is what it should be */
  findIn(text: string, except: readonly string[] = []): string[] {
    const found = [...this.forms].filter(([form]) => text.includes(form)).map(([, name]) => name);
    return [...new Set(found)].filter((name) => !except.includes(name));
  }
}
