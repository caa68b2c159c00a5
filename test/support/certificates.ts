import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate authority in memory, made with the `openssl` program; for TLS servers in tests. */
export class TestAuthority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'test-ca-'));
  readonly #own: Certificate;

  constructor() {
    this.#own = this.#selfSigned('Test authority', ['-addext', 'basicConstraints=critical,CA:TRUE']);
    writeFileSync(this.#path('ca.key'), this.#own.key);
    writeFileSync(this.#path('ca.pem'), this.#own.cert);
  }

  /** PEM, for the `ca` option of a client. */
  get ca(): string {
    return this.#own.cert;
  }

  /** @param names subject alternative names, e.g. `DNS:localhost` or `IP:127.0.0.1` */
  issue(names: readonly string[], { isExpired = false } = {}): Certificate {
    this.#openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=leaf',
      '-keyout',
      'leaf.key',
      '-out',
      'leaf.csr',
    );
    writeFileSync(this.#path('leaf.ext'), `subjectAltName=${names.join(',')}\n`);
    const days = isExpired ? '-1' : '2';
    this.#openssl(
      'x509',
      '-req',
      '-in',
      'leaf.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      days,
      '-extfile',
      'leaf.ext',
      '-out',
      'leaf.pem',
    );
    return { key: this.#read('leaf.key'), cert: this.#read('leaf.pem') };
  }

  /** One that nobody vouches for. */
  selfSigned(names: readonly string[]): Certificate {
    return this.#selfSigned('self', ['-addext', `subjectAltName=${names.join(',')}`]);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #selfSigned(commonName: string, extensions: readonly string[]): Certificate {
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${commonName}`,
      ...extensions,
      '-keyout',
      'self.key',
      '-out',
      'self.pem',
    );
    return { key: this.#read('self.key'), cert: this.#read('self.pem') };
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: 'pipe' });
  }

  #read(name: string): string {
    return readFileSync(this.#path(name), 'utf8');
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}
