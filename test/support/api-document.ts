import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

import type { ApiAnswer } from './api-client.js';

interface Media {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Body {
  readonly content?: Readonly<Record<string, Media>>;
}

export interface Response extends Body {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: object }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly pattern?: string; readonly format?: string };
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Response>>;
}

interface RawDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

const VERBS = ['get', 'post', 'put', 'patch', 'delete'];

/** The OpenAPI document of an application, and whether answers are as it says. */
export class ApiDocument {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly compiled = new Map<string, ValidateFunction>();

  private constructor(
    readonly text: string,
    readonly version: string,
    readonly operations: readonly Operation[],
  ) {}

  /** @param text the JSON of the document */
  static of(text: string): ApiDocument {
    const { openapi, paths, components } = JSON.parse(text) as RawDocument;
    const operations = Object.entries(paths).flatMap(([path, verbs]) =>
      Object.entries(verbs).flatMap(([verb, operation]) =>
        VERBS.includes(verb) ? [{ ...operation, method: verb.toUpperCase(), path }] : [],
      ),
    );
    const document = new ApiDocument(text, openapi, operations);
    addFormats.default(document.ajv);
    document.ajv.addSchema({ $id: 'api', components });
    return document;
  }

  operation(operationId: string): Operation {
    const found = this.operations.find((operation) => operation.operationId === operationId);
    if (found === undefined) throw new Error(`no operation ${operationId}`);
    return found;
  }

  /** The operation that answers a request, by its path without query. */
  operationFor(method: string, url: string): Operation | undefined {
    const path = url.split('?')[0]!;
    return this.operations.find(
      (operation) =>
        operation.method === method &&
        new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
    );
  }

  /** Every way in which an answer is not as documented; none is what it should be. */
  deviations(operation: Operation, answer: ApiAnswer<unknown>): string[] {
    const documented = operation.responses[String(answer.status)];
    if (documented === undefined) return [`status ${answer.status} is not documented`];
    const missing = Object.entries(documented.headers ?? {}).flatMap(([name, header]) => {
      const value = answer.headers.get(name);
      if (value === null) return header.required === true ? [`header ${name} is missing`] : [];
      return this.problems(header.schema, value).map((problem) => `header ${name}: ${problem}`);
    });
    return [...missing, ...this.bodyDeviations(documented, answer)];
  }

  /** What a schema of the document finds wrong with a value. */
  problems(schema: object, value: unknown): string[] {
    const key = JSON.stringify(schema);
    // References are to the document: `#/components/…` of the schema that was added.
    const validate =
      this.compiled.get(key) ??
      this.ajv.compile(JSON.parse(key.replaceAll('"#/components/', '"api#/components/')) as object);
    this.compiled.set(key, validate);
    return validate(value)
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
  }

  private bodyDeviations({ content }: Response, answer: ApiAnswer<unknown>): string[] {
    if (content === undefined) return answer.text === '' ? [] : ['there is a body, and none is documented'];
    const type = (answer.headers.get('content-type') ?? '').split(';')[0]!;
    const media = content[type];
    if (media === undefined) return [`content type "${type}" is not documented`];
    return this.problems(media.schema, type === 'application/json' ? answer.body : answer.text);
  }
}
